import type { PluginDevice } from '../../../protocol/config/devices.ts';
import { type EngineRelease, glibcTags, type WheelPin } from '../../../protocol/engine/release.ts';

/**
 * The plugin of jax for CUDA 13, and what jax-cuda13-plugin[with-cuda] names beside it: XLA opens CUDA's libraries by name, the
 * plugin's RPATH leads to them, and `ptxas` and `libdevice` are needed to compile. cuBLAS is newer than 13.1, whose kernels for
 * Blackwell are faulty (jax warns of them).
 */
const cuda: WheelPin[] = [
  {
    name: 'jax-cuda13-pjrt',
    version: '0.11.2',
    sha256: 'e5ff589d43064913bb74027682d89639c7ea48f9f81c2bae6fc75117e913f93e',
    bytes: 134_162_640,
    unpackedBytes: 411_465_856,
  },
  {
    name: 'nvidia-cublas',
    version: '13.4.1.3',
    sha256: 'a5917cb642cfb07f4a0231ee16aec7e2e0357d8cb8b1b78a0c9c68dba3e6afc7',
    bytes: 404_870_805,
    unpackedBytes: 563_257_062,
  },
  {
    name: 'nvidia-cuda-cupti',
    version: '13.2.86',
    sha256: '8fa29f15dd8336181f961764d9d95236fc6b931dd0c8fcf8cd70aab0c310b586',
    bytes: 11_988_600,
    unpackedBytes: 48_115_846,
  },
  {
    name: 'nvidia-cuda-nvrtc',
    version: '13.2.86',
    sha256: '8111c5130e967b78222ea2124145f8efe9ce201b752b2579a2513100a53be1c5',
    bytes: 47_018_468,
    unpackedBytes: 119_834_654,
  },
  {
    name: 'nvidia-cuda-runtime',
    version: '13.2.86',
    sha256: '3498247680dfddce31bad102af7e3e26fc795342a3cac64722bb0fa95e7f60f0',
    bytes: 2_323_576,
    unpackedBytes: 833_182,
  },
  {
    name: 'nvidia-cudnn-cu13',
    version: '9.26.0.51',
    sha256: '9c976d539786698c71d6bcdbe2053b7485fae062ff7e1215d2f2ff67b1a2149a',
    bytes: 519_150_073,
    unpackedBytes: 887_695_286,
  },
  {
    name: 'nvidia-cufft',
    version: '12.2.0.57',
    sha256: '34da27fadf3979b0b042c43823f0530be8408b86df31ee0108e1ca0b621d4ef6',
    bytes: 218_258_101,
    unpackedBytes: 291_909_230,
  },
  {
    name: 'nvidia-cusolver',
    version: '12.2.0.11',
    sha256: 'fab5778f6769947389a1a6abc07e635576825a08c0ffc68c3ae7f1392c794b42',
    bytes: 227_913_465,
    unpackedBytes: 276_556_974,
  },
  {
    name: 'nvidia-cusparse',
    version: '12.7.10.12',
    sha256: '25907c75e4db1581685f06f61cc6cdecc04611765516a52373e0a18ebd69fa00',
    bytes: 150_999_307,
    unpackedBytes: 167_590_774,
  },
  {
    name: 'nvidia-nccl-cu13',
    version: '2.30.7',
    sha256: 'cefa7fdb9710efd0f39c5f1be1d61ff6fc9a996c451265bd7fbdcf9455ed4b50',
    bytes: 215_965_170,
    unpackedBytes: 252_206_543,
  },
  {
    name: 'nvidia-nvjitlink',
    version: '13.5.37',
    sha256: '280d7cb9649704145f074b8dbde500de04ce02d0872e066e20a83c17bcaa93eb',
    bytes: 46_642_491,
    unpackedBytes: 117_306_726,
  },
  {
    name: 'nvidia-nvshmem-cu13',
    version: '3.7.2',
    sha256: 'b9a4f843c62b5dded8ad33fd6d220e007dcd39f06cee549292f5ba14ce4c235c',
    bytes: 135_397_797,
    unpackedBytes: 51_722_374,
  },
  {
    name: 'nvidia-cuda-nvcc',
    version: '13.5.37',
    sha256: 'f5c4f7ead5d964fb4af42bbf1e6d3ec3c1e6e9d83b53749f691d387e7fcaa3a7',
    bytes: 47_028_279,
    unpackedBytes: 96_966_030,
  },
  {
    name: 'nvidia-nvvm',
    version: '13.5.37',
    sha256: 'c41bfa362e407405163f103c2229f0765f8cc2ed7d148b754dc77f228bf7e070',
    bytes: 75_141_406,
    unpackedBytes: 74_171_774,
  },
];

/** Plugins that can be installed, for x86-64. The one for CPUs is a third party's and serves tests: TensorFlow is the engine for CPUs. */
export const pluginReleases: Partial<Record<PluginDevice, EngineRelease>> = {
  'pjrt:cpu': {
    version: '0.11.2',
    device: 'pjrt:cpu',
    wheels: [
      {
        name: 'lammps-jax-pjrt-cpu',
        version: '0.11.2',
        sha256: '1319390d948b39f69f7dade496b7c385149d9ca6097a6b62114da113216d9ad1',
        bytes: 62_711_338,
        unpackedBytes: 201_863_542,
      },
    ],
    platforms: ['manylinux_2_27_x86_64'],
    required: ['lammps_jax_pjrt_cpu/pjrt_c_api_cpu_plugin.so'],
  },
  'pjrt:cuda': {
    version: '0.11.2',
    device: 'pjrt:cuda',
    wheels: cuda,
    platforms: [...glibcTags, '2_12']
      .map((tag) => `manylinux_${tag}_x86_64`)
      .concat('manylinux2014_x86_64', 'manylinux2010_x86_64'),
    required: [
      'jax_plugins/xla_cuda13/xla_cuda_plugin.so',
      'nvidia/cu13/bin/ptxas',
      'nvidia/cu13/nvvm/libdevice/libdevice.10.bc',
    ],
  },
};
