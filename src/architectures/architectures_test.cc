// Every net that is carried along, against files of its keys and shapes.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "architectures/match.h"
#include "architectures/recognise.h"
#include "support/error_text.h"

namespace mx2onnx::architectures {
namespace {

const Catalogue& catalogue() {
  static const Catalogue loaded = *Catalogue::load();
  return loaded;
}

// For sizes that Gluon learns from the first input.
constexpr std::int64_t kLearned = 77;

Shapes file_of(const Architecture& net, Form form, bool first_keys = true, bool last_keys = true) {
  Shapes shapes;
  const auto layout = catalogue().layout(net.layout);
  std::map<std::size_t, std::size_t> last;
  for (std::size_t i = 0; i < layout.size(); ++i) last[layout[i].same_as.value_or(i)] = i;
  for (std::size_t i = 0; i < layout.size(); ++i) {
    const std::size_t first = layout[i].same_as.value_or(i);
    if (last[first] != first && !(first_keys && i == first) && !(last_keys && i == last[first]))
      continue;
    auto shape = layout[i].shape;
    std::replace(shape.begin(), shape.end(), std::int64_t{0}, kLearned);
    shapes.emplace(name_in(form, net, layout[i]), std::move(shape));
  }
  return shapes;
}

const Architecture& net(const std::string& name) { return catalogue().find(name); }

// Under the sanitizers, which make it fifty times as slow, every tenth net is tried.
// GCC has a macro for it, clang a question.
#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#define SANITIZED __has_feature(address_sanitizer)
#else
#define SANITIZED 0
#endif
#if SANITIZED
constexpr std::size_t kStep = 10;
#else
constexpr std::size_t kStep = 1;
#endif

std::vector<Architecture> tried_nets() {
  std::vector<Architecture> nets;
  for (std::size_t i = 0; i < catalogue().all().size(); i += kStep)
    nets.push_back(catalogue().all()[i]);
  return nets;
}

// A part of a net that has the parameters of the whole.
bool is_part(const Architecture& net, const Shapes& file) {
  const std::string whole = net.name.substr(0, net.name.find('|'));
  if (whole == net.name) return false;
  const auto& all = catalogue().all();
  const auto found =
      std::find_if(all.begin(), all.end(), [&](const auto& other) { return other.name == whole; });
  return found != all.end() &&
         match(*found, catalogue().layout(found->layout), Form::kStructural, file).is_exact();
}

// The same graph, which makes the same of the same arrays: by the file's name where nets of several
// graphs have the same parameters, and if that says nothing, not any of them.
void expect_recognised(const Architecture& net, Form form, const Shapes& file) {
  if (is_part(net, file)) {
    EXPECT_EQ(recognise(catalogue(), file, "x.params", net.name).net->graph, net.graph);
    EXPECT_EQ(net.name.find(recognise(catalogue(), file, "x.params", "").net->name + '|'), 0u);
    return;
  }
  const std::string plain = net.name.substr(net.name.find('/') + 1);
  const std::string name = plain.substr(0, plain.find('|')) + ".params";
  const Recognised found = recognise(catalogue(), file, name, "");
  EXPECT_EQ(found.net->graph, net.graph) << net.name << " taken for " << found.net->name;
  const std::string text = error_text([&] {
    const Recognised unnamed = recognise(catalogue(), file, "weights.params", "");
    EXPECT_EQ(unnamed.net->graph, net.graph) << net.name << " taken for " << unnamed.net->name;
  });
  if (text != "no error") {
    EXPECT_TRUE(net.name.starts_with("slowfast_") || form == Form::kOld) << text;
    EXPECT_NE(text.find("the parameters fit several nets: "), std::string::npos) << text;
    EXPECT_NE(text.find(net.name), std::string::npos) << text;
  }
  const auto layout = catalogue().layout(net.layout);
  for (const auto& parameter : layout) {
    if (parameter.same_as) continue;
    ASSERT_TRUE(found.arrays.contains(parameter.key)) << net.name << ": " << parameter.key;
    EXPECT_TRUE(is_shape_of(file.find(found.arrays.at(parameter.key))->second, parameter.shape))
        << net.name << ": " << parameter.key;
    if (form != Form::kStructural) continue;
    bool is_own_key = found.arrays.at(parameter.key) == parameter.key;
    for (const auto& other : layout) {
      is_own_key |= other.key == found.arrays.at(parameter.key) && other.same_as &&
                    layout[*other.same_as].key == parameter.key;
    }
    EXPECT_TRUE(is_own_key) << net.name << ": " << parameter.key;
  }
}

TEST(Architectures, EveryNetHasTheVariablesOfItsLayout) {
  ASSERT_GT(catalogue().all().size(), 360u);
  for (const auto& net : catalogue().all()) {
    const auto symbol = catalogue().graph(net.graph);
    std::set<std::string> variables;
    for (const auto& node : symbol.nodes) {
      if (node.is_variable()) variables.insert(node.name);
    }
    for (const auto& parameter : catalogue().layout(net.layout)) {
      if (!parameter.same_as) variables.erase(parameter.key);
    }
    // What is left are inputs.
    for (const auto& name : variables)
      EXPECT_EQ(name.find('.'), std::string::npos) << net.name << ": " << name;
    for (const auto& input : net.inputs)
      EXPECT_TRUE(variables.contains(input.name)) << net.name << ": " << input.name;
  }
}

TEST(Architectures, EveryNetIsRecognisedByStructuralKeys) {
  for (const auto& net : tried_nets())
    expect_recognised(net, Form::kStructural, file_of(net, Form::kStructural));
}

TEST(Architectures, EveryNetIsRecognisedByOldNames) {
  std::size_t tried = 0;
  for (const auto& net : tried_nets()) {
    if (!net.has_old_form) continue;
    ++tried;
    expect_recognised(net, Form::kOld, file_of(net, Form::kOld));
  }
  EXPECT_GT(tried * kStep, 200u);
}

TEST(Architectures, AnyKeyOfASharedArrayWillDo) {
  std::size_t tried = 0;
  for (const auto& net : tried_nets()) {
    const Shapes first = file_of(net, Form::kStructural, true, false);
    const Shapes last = file_of(net, Form::kStructural, false, true);
    if (first == last) continue;
    ++tried;
    expect_recognised(net, Form::kStructural, first);
    expect_recognised(net, Form::kStructural, last);
  }
  EXPECT_GT(tried * kStep, 10u);
}

TEST(Architectures, FullNamesOfPrunedNets) {
  for (const char* name : {"resnet50_v1d_0.86", "resnet101_v1d_0.73", "resnet18_v1b_0.89"})
    expect_recognised(net(name), Form::kFull, file_of(net(name), Form::kFull));
}

TEST(Architectures, AClassifierWithOtherClasses) {
  Shapes file = file_of(net("resnet50_v1"), Form::kStructural);
  file["output.weight"] = {7, 2048};
  file["output.bias"] = {7};
  const Recognised found = recognise(catalogue(), file, "mine.params", "");
  EXPECT_EQ(found.net->name, "resnet50_v1");
  EXPECT_FALSE(found.is_own);
  const auto& head = found.symbol.nodes[found.symbol.heads[0].node];
  EXPECT_EQ(head.attrs.find("num_hidden")->second, "7");
}

TEST(Architectures, ANetOfFewClassesThatSharesItsGraph) {
  const auto& custom = net("i3d_resnet50_v1_custom");
  const auto found = recognise(catalogue(), file_of(custom, Form::kStructural), "x.params", "");
  const auto& nodes = found.symbol.nodes;
  const auto last = std::find_if(nodes.rbegin(), nodes.rend(),
                                 [](const auto& node) { return node.op == "FullyConnected"; });
  ASSERT_NE(last, nodes.rend());
  EXPECT_EQ(last->attrs.at("num_hidden"), "3");
}

TEST(Architectures, AnotherVocabulary) {
  Shapes file = file_of(net("bert_12_768_12|pooler+decoder"), Form::kStructural);
  for (auto& [key, shape] : file) {
    if (!shape.empty() && shape[0] == 30522) shape[0] = 1234;
  }
  const Recognised found = recognise(catalogue(), file, "mine.params", "");
  EXPECT_EQ(found.net->name, "nlp/bert_12_768_12|pooler+decoder");
}

TEST(Architectures, ADetectorWithOtherClassesIsRefused) {
  Shapes file = file_of(net("ssd_512_resnet50_v1_voc"), Form::kStructural);
  for (auto& [key, shape] : file) {
    if (key.starts_with("class_predictors")) shape[0] = shape[0] / 21 * 6;
  }
  const std::string text = error_text([&] { recognise(catalogue(), file, "mine.params", ""); });
  EXPECT_NE(text.find("nearest is 'ssd_512_resnet50_v1"), std::string::npos) << text;
  EXPECT_NE(text.find("of another shape"), std::string::npos) << text;
}

TEST(Architectures, RegionNetsMayHaveMore) {
  Shapes file = file_of(net("faster_rcnn_resnet50_v1b_voc"), Form::kStructural);
  file["something.else"] = {3};
  EXPECT_EQ(recognise(catalogue(), file, "x.params", "").net->name, "faster_rcnn_resnet50_v1b_voc");
  file = file_of(net("resnet50_v1"), Form::kStructural);
  file["something.else"] = {3};
  EXPECT_NE(error_text([&] { recognise(catalogue(), file, "x.params", ""); }).find("1 too many"),
            std::string::npos);
}

TEST(Architectures, WhatItIsCalledChoosesAmongEquals) {
  const Shapes file = file_of(net("resnet50_v1"), Form::kStructural);
  EXPECT_EQ(recognise(catalogue(), file, "/m/resnet50_v1-0aee57f9.params", "").net->name,
            "resnet50_v1");
  EXPECT_EQ(recognise(catalogue(), file, "x.params", "mxnet/resnet50_v1").net->name,
            "mxnet/resnet50_v1");
  const std::string text =
      error_text([&] { recognise(catalogue(), file, "x.params", "resnet50_v2"); });
  EXPECT_NE(text.find("these are not the parameters of 'resnet50_v2'"), std::string::npos) << text;
}

// As GluonCV's presets and scripts have them; the table is in docs/pretrained.md.
TEST(Architectures, HowPicturesArePrepared) {
  const std::vector<double> imagenet = {0.485, 0.456, 0.406};
  const std::vector<double> imagenet_deviation = {0.229, 0.224, 0.225};
  for (const char* name :
       {"resnet50_v1", "mxnet/resnet50_v1", "ssd_512_resnet50_v1_voc", "yolo3_darknet53_coco",
        "faster_rcnn_resnet50_v1b_voc", "mask_rcnn_resnet50_v1b_coco",
        "center_net_resnet18_v1b_voc", "fcn_resnet50_ade", "simple_pose_resnet18_v1b",
        "mobile_pose_mobilenet1.0", "resnet18_v1b_kinetics400"}) {
    ASSERT_TRUE(net(name).preparation) << name;
    EXPECT_EQ(net(name).preparation->scale, "1/255") << name;
    EXPECT_EQ(net(name).preparation->mean, imagenet) << name;
    EXPECT_EQ(net(name).preparation->std, imagenet_deviation) << name;
  }
  const auto& cifar = *net("cifar_resnet20_v1").preparation;
  EXPECT_EQ(cifar.mean, (std::vector<double>{0.4914, 0.4822, 0.4465}));
  EXPECT_EQ(cifar.std, (std::vector<double>{0.2023, 0.1994, 0.2010}));
  const auto& alpha_pose = *net("alpha_pose_resnet101_v1b_coco").preparation;
  EXPECT_EQ(alpha_pose.scale, "1/255");
  EXPECT_EQ(alpha_pose.mean, (std::vector<double>{0.406, 0.457, 0.480}));
  EXPECT_TRUE(alpha_pose.std.empty());
  const auto& depth = *net("monodepth2_resnet18_kitti_stereo_640x192").preparation;
  EXPECT_EQ(depth.scale, "1/255");
  EXPECT_TRUE(depth.mean.empty() && depth.std.empty());
  for (const char* name : {"siamrpn_alexnet_v2_otb15", "i3d_resnet50_v1_kinetics400",
                           "monodepth2_resnet18_posenet_kitti_mono_640x192", "gpt2_117m"})
    EXPECT_FALSE(net(name).preparation) << name;
}

TEST(Architectures, WhatIsNoneOfThem) {
  const std::string text = error_text([] {
    recognise(catalogue(), {{"0.weight", {3, 3}}, {"0.bias", {3}}}, "x.params", "");
  });
  EXPECT_NE(text.find("of no net that is known"), std::string::npos) << text;
  EXPECT_NE(error_text([] { catalogue().find("resnet50v1"); }).find("did you mean"),
            std::string::npos);
}

}  // namespace
}  // namespace mx2onnx::architectures
