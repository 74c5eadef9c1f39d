export { cacheFolder } from '../../../protocol/cacheFolder.ts';
/** Fetches TensorFlow, finds it, and reports what is installed: `unimiss engine install | info | doctor`. */
export type { CudaFiles } from './cuda.ts';
export { type DoctorReport, doctor, doctorText } from './doctor.ts';
export { type EngineFiles, type FindOptions, findEngine, requireEngine } from './find.ts';
export { chooseDevice, detectGpus, type Gpu, type GpuReport } from './gpu.ts';
export { type EngineInfo, engineInfo } from './info.ts';
export { engineInfoText } from './infoText.ts';
export { type InstallOptions, type InstallProgress, installEngine } from './install.ts';
export { type LocatedEngine, locateEngine } from './locate.ts';
export {
  findPlugin,
  findPlugins,
  installPlugin,
  type PluginFile,
  pinnedPlugin,
  pluginSizes,
  requirePlugin,
} from './plugin.ts';
export { tidied } from './tidy.ts';
export type { VisibleGpu } from './visibleGpus.ts';
export { releaseSizes } from './wheelFiles.ts';
export { missingWheels } from './wheels.ts';
