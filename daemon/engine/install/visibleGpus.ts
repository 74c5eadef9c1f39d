import type { Env } from './places.ts';

export interface Gpu {
  /** Number in the order of the PCI bus, as nvidia-smi counts. */
  index: number;
  /** `GPU-…`, independent of order and process; undefined if the driver does not report it. */
  uuid?: string;
  name: string;
  /** Memory in MiB; undefined if only the kernel module could be asked. */
  memoryMiB?: number;
}

/** A GPU that CUDA may use in this process. */
export interface VisibleGpu {
  name: string;
  /** The value of CUDA_VISIBLE_DEVICES that shows only this GPU: its UUID if known. */
  visible: string;
  /** Undefined if unknown, as for a part of a GPU. */
  memoryMiB?: number;
}

/**
 * The GPUs that CUDA_VISIBLE_DEVICES leaves, in its order: a scheduler sets it to those that a job may use. If it is not set:
 * all, in the order of nvidia-smi (that of the PCI bus). Numbers count like nvidia-smi, which schedulers mean; CUDA itself would
 * put the fastest GPU first unless CUDA_DEVICE_ORDER is PCI_BUS_ID. As in CUDA, the first entry without a GPU ends the list, and
 * the beginning of a UUID stands for a GPU if only one fits. Parts of a GPU (`MIG-…`) pass unchanged, since nvidia-smi does not
 * list them among the GPUs.
 */
export function visibleGpus(gpus: readonly Gpu[], env: Env): VisibleGpu[] {
  const all = gpus.map(({ index, name, uuid, memoryMiB }) => ({
    ...{ name, visible: uuid ?? String(index) },
    ...(memoryMiB !== undefined && { memoryMiB }),
  }));
  const given = env.CUDA_VISIBLE_DEVICES;
  if (given === undefined) return all;
  const visible: VisibleGpu[] = [];
  for (const entry of given.split(',').map((part) => part.trim())) {
    const found = entry.startsWith('MIG-') ? { name: entry, visible: entry } : named(entry, gpus, all);
    if (!found) break;
    visible.push(found);
  }
  return visible;
}

function named(entry: string, gpus: readonly Gpu[], all: readonly VisibleGpu[]): VisibleGpu | undefined {
  const fits = (gpu: Gpu) =>
    /^\d+$/.test(entry) ? gpu.index === Number(entry) : /^GPU-./.test(entry) && gpu.uuid?.startsWith(entry);
  const found = all.filter((_, i) => gpus.slice(i, i + 1).some(fits));
  return found.length === 1 ? found[0] : undefined;
}
