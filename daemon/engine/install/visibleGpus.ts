import type { Env } from './places.ts';

export interface Gpu {
  /** Number by the order of the PCI bus, as nvidia-smi counts. */
  index: number;
  /** `GPU-…`, the same whatever the order and the process; undefined where the driver does not tell it. */
  uuid?: string;
  name: string;
  /** Memory in MiB; undefined where only the kernel module could be asked. */
  memoryMiB?: number;
}

/** A GPU that CUDA may use in this process. */
export interface VisibleGpu {
  name: string;
  /** What shows this GPU and no other, as the value of CUDA_VISIBLE_DEVICES: its UUID where that is known. */
  visible: string;
}

/**
 * The GPUs that CUDA_VISIBLE_DEVICES leaves, in its order: a scheduler sets it to those that a job may use. All, in the order of
 * nvidia-smi (that of the PCI bus), where it is not set. Numbers count as nvidia-smi does, as schedulers mean them; CUDA itself would
 * put the fastest GPU first unless CUDA_DEVICE_ORDER is PCI_BUS_ID. As in CUDA, the first entry that leads to no GPU ends the list,
 * and the beginning of a UUID that fits one GPU stands for it. Parts of a GPU (`MIG-…`) are taken as they are: nvidia-smi does not
 * list them among the GPUs.
 */
export function visibleGpus(gpus: readonly Gpu[], env: Env): VisibleGpu[] {
  const all = gpus.map(({ index, name, uuid }) => ({ name, visible: uuid ?? String(index) }));
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
