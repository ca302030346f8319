"""What is known of the nets that tools/gen_architectures.py packs and is in no graph: task, input, classes, how a picture is prepared."""

import ast
import re
import subprocess

PREPARATIONS = ["imagenet", "cifar", "unit", "alpha_pose"]  # as src/architectures/catalogue.cc has them, in this order
VIDEO_CLASSES = {
    "kinetics400": "kinetics400",
    "kinetics700": "kinetics700",
    "hmdb51": "hmdb51",
    "ucf101": "ucf101",
    "sthsthv2": "sthsthv2",
}


class Classes:
    """The data sets' lists in GluonCV's sources."""

    FILES = {
        "voc": "pascal_voc/detection.py",
        "coco": "mscoco/detection.py",
        "voc_segmentation": "pascal_voc/segmentation.py",
        "coco_segmentation": "mscoco/segmentation.py",
        "ade": "ade20k/segmentation.py",
        "citys": "cityscapes.py",
        "mhpv1": "mhp.py",
        "kinetics400": "kinetics400/classification.py",
        "kinetics700": "kinetics700/classification.py",
        "hmdb51": "hmdb51/classification.py",
        "ucf101": "ucf101/classification.py",
        "sthsthv2": "somethingsomethingv2/classification.py",
        "imagenet": "imagenet/classification.py",
    }
    CIFAR10 = "airplane automobile bird cat deer dog frog horse ship truck".split()

    def __init__(self, clone):
        self.clone = clone

    def read(self, key):
        if key == "cifar10":
            return self.CIFAR10
        path = "gluoncv/data/" + self.FILES[key]
        source = subprocess.run(
            ["git", "-C", self.clone, "show", "HEAD:" + path], check=True, capture_output=True, text=True
        ).stdout
        lists = []
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Assign) and isinstance(node.value, (ast.List, ast.Tuple)) and node.value.elts:
                target = node.targets[0]
                name = target.id if isinstance(target, ast.Name) else getattr(target, "attr", "")
                if name in ("CLASSES", "classes", "_ILSVRC2012_Attr"):
                    lists.append(ast.literal_eval(node.value))
        (found,) = lists
        # ImageNet's are (synset, short, long).
        return [" ".join((entry if isinstance(entry, str) else entry[1]).split()) for entry in found]


def task_of(name):
    """Task, input specification, list of classes and preparation. Free sizes where the net takes any."""
    plain = name.split("/")[-1]
    free, batch = "data:batch,3,height,width", "data:batch,3,%d,%d"
    detection_classes = plain.rsplit("_", 1)[-1] if plain.rsplit("_", 1)[-1] in ("voc", "coco") else None
    video = VIDEO_CLASSES.get(plain.rsplit("_", 1)[-1])
    if plain.startswith("cifar_"):
        return "classification", batch % (32, 32), "cifar10", "cifar"
    if plain.startswith("ssd_"):
        size = int(plain.split("_")[1])
        return "detection", batch % (size, size), detection_classes, "imagenet"
    if plain.startswith("yolo3"):
        return "detection", batch % (416, 416), detection_classes, "imagenet"
    if plain.startswith("center_net"):
        return "detection", free, detection_classes, "imagenet"
    if "rcnn" in plain:
        return (
            ("instance segmentation" if "mask" in plain else "detection"),
            # Its anchors are for 128 by 128 cells of four pixels.
            "data:1,3,512,512" if plain == "custom_mask_rcnn_fpn" else "data:1,3,600,800",
            detection_classes,
            "imagenet",
        )
    if (
        plain.startswith(("fcn_", "psp_", "deeplab_", "danet_", "icnet_", "fastscnn_"))
        or re.match(r"hrnet.*_s$", plain)
        or plain.startswith("hrnet_")
        and plain.endswith("citys")
    ):
        size = 1024 if plain.startswith("fastscnn") else 480
        data = plain.rsplit("_", 1)[-1]
        return (
            "segmentation",
            batch % (size, size),
            data + "_segmentation" if data in ("voc", "coco") else data,
            "imagenet",
        )
    if "pose_" in plain and "posenet" not in plain:
        return "pose", free, None, "alpha_pose" if plain.startswith("alpha_pose") else "imagenet"
    if plain.startswith("monodepth2"):
        return (
            "depth",
            "data:batch,%d,192,640" % (6 if "posenet" in plain else 3),
            None,
            "unit" if "posenet" not in plain else None,
        )
    if plain.startswith("siamrpn"):
        return "tracking", "data0:1,3,127,127;data1:1,3,287,287", None, None
    if plain.startswith(("i3d_", "c3d_", "p3d_", "r2plus1d_", "slowfast_")):
        frames, size = 32, 224
        if plain.startswith("c3d"):
            frames, size = 16, 112
        if plain.startswith("p3d"):
            frames, size = 16, 160
        if plain.startswith("r2plus1d"):
            frames, size = 16, 112
        match = re.match(r"slowfast_(\d+)x(\d+)", plain)
        if match:
            frames = {"4x16": 36, "8x8": 40, "16x8": 80}[match.group(1) + "x" + match.group(2)]
        spec = "data:batch,3,%d,%d,%d" % (frames, size, size)
        if plain.startswith(("i3d_resnet", "i3d_slow")):
            spec = "data:batch,3,frames,height,width"
        return "action recognition", spec, video, None
    if video:
        size = 299 if plain.startswith("inceptionv3") else 224
        return "action recognition", batch % (size, size), video, "imagenet"
    sized = {"inceptionv3": 299, "xception": 299, "xception71": 299, "googlenet": 224}
    if plain in sized or plain.startswith("nasnet"):
        size = sized.get(plain, 299)
        return "classification", batch % (size, size), "imagenet", "imagenet"
    if plain.startswith(("alexnet", "vgg", "densenet", "squeezenet", "residualattention", "hrnet", "dla")):
        return "classification", batch % (224, 224), "imagenet", "imagenet"
    return "classification", free, "imagenet", "imagenet"


def nlp_inputs(name, inputs):
    """Batch and length free; states of language models are (layers, batch, hidden)."""
    plain = name.split("/")[-1]
    if plain.startswith("bert") or plain.startswith("ernie"):
        spec = "data0:batch,length;data1:batch,length;data2:batch"
        return spec + (";data3:batch,masked" if "data3" in inputs else "")
    if plain.startswith("xlnet"):
        return "data0:batch,length;data1:batch,length;data2:batch,length,length"
    if plain.startswith("transformer"):
        specs = {"src": "batch,source", "src_len": "batch", "tgt": "batch,target", "tgt_len": "batch"}
        specs["mem"] = "batch,source,512"
        return ";".join("%s:%s" % (name, specs[name]) for name in inputs)
    if plain.startswith("elmo"):
        return "data:batch,length,50"  # characters of a word
    if plain.startswith(("roberta", "distilbert")):
        return "data0:batch,length;data1:batch" + (";data2:batch,masked" if "data2" in inputs else "")
    if plain.startswith("gpt2"):
        return "data:batch,length"
    return "data0:length,batch"
