/** What `unimiss init` prints and the editor offers for a new configuration file: the choices that most runs make. */
export const pretrainTemplate = `// A UniMiSS pre-training run. What is left out has a default: see docs/configuration.md.
{
  "name": "pretrain",
  "data": {
    // Folders are searched at any depth: NIfTI is 3D, PNG and JPEG are 2D.
    "paths": ["path/to/images"],
    // Threads that read images; raise it where the records show waiting.
    "workers": 1
  },
  "model": {
    // nano (to try things), tiny (20 M parameters) or small (44 M).
    "preset": "tiny"
  },
  "train": {
    "epochs": 200,
    // Images in memory at once; with too little memory halve it and double "accumulate".
    "batch": { "2D": 8, "3D": 8 },
    "accumulate": 1,
    "seed": 0
  },
  "engine": {
    // cpu or cuda
    "device": "cpu"
  },
  "records": {
    // Previews show parts of the images, records and logs their file names.
    "previews": true,
    "hidePaths": false
  }
}
`;
