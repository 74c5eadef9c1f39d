/** What `unimiss init` prints and the editor offers for a new configuration file: the choices that most runs make. */
export const pretrainTemplate = `// A UniMiSS pre-training run. Omitted fields have defaults: see docs/configuration.md.
{
  "name": "pretrain",
  "data": {
    // Folders are searched at any depth: volumes train in 3D, pictures in 2D.
    "paths": ["path/to/images"],
    // Number of threads that read images. Raise it if the records show waiting.
    "workers": 1
  },
  "model": {
    // nano (for trying things out), tiny (20 M parameters) or small (44 M).
    "preset": "tiny"
  },
  "train": {
    "epochs": 200,
    // Images in memory at once. If memory runs out, halve it and double "accumulate".
    "batch": { "2D": 8, "3D": 8 },
    "accumulate": 1,
    "seed": 0
  },
  "engine": {
    // cpu or cuda
    "device": "cpu"
  },
  "records": {
    // Previews show parts of the images. Records and logs contain their file names.
    "previews": true,
    "hidePaths": false
  }
}
`;
