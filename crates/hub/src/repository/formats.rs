//! Repositories whose weights nobody can load here: what they hold, and what to do.

/// Weights of another format than safetensors and PyTorch's.
struct Format {
    name: &'static str,
    endings: &'static [&'static str],
    advice: &'static str,
}

const TF_ADVICE: &str =
    "open it in transformers 4 with from_tf=True, call save_pretrained and give the directory";
const EXPORT_ADVICE: &str =
    "it was exported from a checkpoint; its page names the base model, whose name to give";

const FORMATS: [Format; 9] = [
    Format {
        name: "TensorFlow",
        endings: &[".h5", ".ckpt.index", ".ckpt.meta", "saved_model.pb"],
        advice: TF_ADVICE,
    },
    Format {
        name: "Flax",
        endings: &[".msgpack"],
        advice: "open it in transformers 4 with from_flax=True, call save_pretrained and give the directory",
    },
    Format {
        name: "ONNX",
        endings: &[".onnx"],
        advice: EXPORT_ADVICE,
    },
    Format {
        name: "GGUF",
        endings: &[".gguf", ".ggml"],
        advice: EXPORT_ADVICE,
    },
    Format {
        name: "OpenVINO",
        endings: &["openvino_model.xml"],
        advice: EXPORT_ADVICE,
    },
    Format {
        name: "Core ML",
        endings: &[".mlmodel"],
        advice: EXPORT_ADVICE,
    },
    Format {
        name: "rust-bert",
        endings: &[".ot"],
        advice: EXPORT_ADVICE,
    },
    Format {
        name: "safetensors under another name",
        endings: &[".safetensors"],
        advice: "download that file and config.json into a directory, name it model.safetensors and give the directory",
    },
    Format {
        name: "PyTorch under another name",
        endings: &[".bin", ".pt", ".pth"],
        advice: "download that file and config.json into a directory, name it pytorch_model.bin and give the directory",
    },
];

const ADAPTER_CONFIG: &str = "adapter_config.json";

/// What a repository without usable weights holds, and what to do, in words.
pub(super) fn unusable(files: &[String]) -> (String, String) {
    if files.iter().any(|file| file == ADAPTER_CONFIG) {
        let advice =
            "download its files into a directory and give that; LoRA and DoRA of PEFT are read";
        return (
            format!("an adapter alone ({ADAPTER_CONFIG})"),
            advice.to_owned(),
        );
    }
    let found: Vec<(&Format, &String)> = FORMATS
        .iter()
        .filter_map(|format| Some((format, format.first_of(files)?)))
        .collect();
    let Some((first, _)) = found.first() else {
        let advice = "give the name of a repository that holds a model";
        return ("no weights of any kind".to_owned(), advice.to_owned());
    };
    let words: Vec<String> = found
        .iter()
        .map(|(format, file)| format!("{} ({file})", format.name))
        .collect();
    (words.join(", "), first.advice.to_owned())
}

impl Format {
    fn first_of<'a>(&self, files: &'a [String]) -> Option<&'a String> {
        let is_one = |file: &&String| self.endings.iter().any(|ending| file.ends_with(ending));
        files.iter().find(is_one)
    }
}
