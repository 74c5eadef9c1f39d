/** Fetching TensorFlow, finding it, and saying what is there: `unimiss engine install | info | doctor`. */
export type { CudaFiles } from './cuda';
export { type DoctorReport, doctor, doctorText } from './doctor';
export { type EngineFiles, type FindOptions, findEngine, requireEngine } from './find';
export { chooseDevice, detectGpus, type Gpu, type GpuReport } from './gpu';
export { type EngineInfo, engineInfo } from './info';
export { engineInfoText } from './infoText';
export { type InstallOptions, type InstallProgress, installEngine } from './install';
export { cacheFolder, humanBytes } from './places';
export type { Device } from './release';
