/** A file with the choices that most fine-tuning runs make. `unimiss plan` writes one for a data set. */
export const finetuneTemplate = `// A UniMiSS fine-tuning run. Omitted fields have defaults: see docs/configuration.md.
{
  "task": "finetune",
  "name": "finetune",
  // segmentation or classification; 2D or 3D.
  "problem": "segmentation",
  "modality": "3D",
  "data": {
    // Folder of the data set, or a table. "unimiss plan FOLDER" looks at it and writes this file.
    "path": "path/to/dataset",
    "folds": 5,
    "fold": 0
  },
  "plan": {
    // mm: [between slices, x, y]
    "spacing": [3, 1, 1],
    "patch": [48, 192, 192]
  },
  "model": { "preset": "tiny" },
  "start": {
    // A pre-training run, a .safetensors or .pth file. null: from scratch.
    "from": null
  },
  "train": {
    "epochs": 100,
    "stepsPerEpoch": 250,
    "batch": 2,
    "lr": 1e-4,
    "seed": 0
  },
  "engine": {
    // cpu or cuda
    "device": "cpu"
  }
}
`;
