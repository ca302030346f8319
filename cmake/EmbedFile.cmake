# Writes the C++ file of architectures/data.h: cmake -DINPUT=data/architectures.bin -DOUTPUT=… -P EmbedFile.cmake
# Without an input the span is empty. Numbers between commas, as every compiler takes arrays of any length.
if(INPUT)
  file(READ ${INPUT} hex HEX)
  string(REGEX REPLACE "(..)" "0x\\1," bytes "${hex}")
  # 20 bytes to a line.
  string(REGEX REPLACE "(....................................................................................................)" "\\1\n"
         bytes "${bytes}")
  set(text "namespace {\n\nconstexpr unsigned char kBytes[] = {\n${bytes}};\n\n}  // namespace\n\n")
  set(span "kBytes")
else()
  set(span "{}")
endif()
file(WRITE ${OUTPUT} "#include \"architectures/data.h\"\n\nnamespace mx2onnx::architectures {\n\n${text}"
     "std::span<const unsigned char> packed_nets() { return ${span}; }\n\n}  // namespace mx2onnx::architectures\n")
