import { type Device, releaseFor, type WheelPin } from '../../../protocol/engine/release.ts';

/** What each build takes that exists for a processor (`process.arch`), in bytes. */
export function releaseSizes(arch: string): Partial<Record<Device, { download: number; disk: number }>> {
  return Object.fromEntries(
    (['cpu', 'cuda'] as const)
      .filter((device) => arch === 'x64' || (arch === 'arm64' && device === 'cpu'))
      .map((device) => [device, sizesOf(releaseFor(device, arch).wheels)]),
  );
}

/** What wheels take, in bytes. */
export function sizesOf(wheels: readonly WheelPin[]): { download: number; disk: number } {
  const sum = (of: 'bytes' | 'unpackedBytes') => wheels.reduce((total, wheel) => total + wheel[of], 0);
  return { download: sum('bytes'), disk: sum('unpackedBytes') };
}

/**
 * The destination of a file of a wheel, relative to the engine's folder; undefined if it is not needed. Needed are the
 * plugin of PJRT, the two libraries of TensorFlow (they need only the C and C++ runtime), NVIDIA's shared libraries, the files of XLA's CUDA compiler
 * (ptxas, libdevice), and the licences. They keep their places relative to site-packages, because the libraries look for each
 * other there (RUNPATH).
 */
export function wantedPath(wheel: string, entry: string): string | undefined {
  if (/^(lammps_jax_pjrt_cpu\/pjrt_c_api_cpu|jax_plugins\/xla_cuda13\/xla_cuda)_plugin\.so$/.test(entry)) return entry;
  if (/^tensorflow\/libtensorflow_(cc|framework)\.so\.2$/.test(entry)) return entry;
  if (/^nvidia\/[^/]+\/lib\/[^/]+\.so(\.[0-9.]+)?$/.test(entry)) {
    return entry.includes('.alt.') ? undefined : entry;
  }
  if (/^nvidia\/cuda_nvcc\/(bin\/ptxas|nvvm\/.+)$/.test(entry)) return entry;
  if (/^nvidia\/cu13\/(bin\/(ptxas|nvlink)|nvvm\/libdevice\/.+)$/.test(entry)) return entry;
  const licence =
    /^(?:[^/]+\.dist-info\/(?:licenses\/)?|tensorflow\/(?:include\/)?)((?:LICENSE|THIRD_PARTY_NOTICES|NOTICE)[^/]*)$/i;
  const name = licence.exec(entry)?.[1];
  return name ? `licenses/${wheel}/${name}` : undefined;
}
