# Writes the C++ file that has a file's bytes as a function's span, which HEADER declares:
# cmake -DINPUT=data/architectures.bin -DOUTPUT=… -DHEADER=architectures/data.h -DNAMESPACE=mx2onnx::architectures
#       -DFUNCTION=packed_nets -P EmbedFile.cmake
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
file(WRITE ${OUTPUT} "#include \"${HEADER}\"\n\nnamespace ${NAMESPACE} {\n\n${text}"
     "std::span<const unsigned char> ${FUNCTION}() { return ${span}; }\n\n}  // namespace ${NAMESPACE}\n")
