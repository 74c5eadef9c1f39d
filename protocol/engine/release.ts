import type { EngineDevice } from '../config/devices.ts';
import { UnimissError } from '../errors.ts';

/** The kind of device that TensorFlow computes on; also names its builds. */
export type Device = 'cpu' | 'cuda';

/** A build that can be in the cache. */
export type Build = EngineDevice;

/** A wheel to fetch: exactly this file, whatever the package index offers. */
export interface WheelPin {
  name: string;
  version: string;
  /** SHA-256 of the wheel, hexadecimal. */
  sha256: string;
  /** Size of the wheel. */
  bytes: number;
  /** Size of the files unpacked from it (see `wantedPath`). */
  unpackedBytes: number;
}

/** One build of TensorFlow, or a plugin of PJRT: the wheels to unpack beside each other, and the paths that must exist afterwards. */
export interface EngineRelease {
  version: string;
  device: Build;
  wheels: WheelPin[];
  /** Platform tags for the request of the wheels, whatever Python pip itself runs under. */
  platforms: string[];
  /** Paths without which the engine is incomplete. */
  required: string[];
}

export const ENGINE_VERSION = '2.21.0';

const tensorflowLibraries = ['tensorflow/libtensorflow_framework.so.2', 'tensorflow/libtensorflow_cc.so.2'];

const cpuX64: WheelPin[] = [
  {
    name: 'tensorflow-cpu',
    version: '2.21.0',
    sha256: 'dcc8afd32930e42d5296b6ee19078b773706830af4ea97fbe503b9f5e0f820cb',
    bytes: 274_000_871,
    unpackedBytes: 853_308_936,
  },
];

/** For aarch64 there is no package `tensorflow-cpu`: `tensorflow` itself is the CPU build. */
const cpuArm64: WheelPin[] = [
  {
    name: 'tensorflow',
    version: '2.21.0',
    sha256: 'b07d15737406533898e36c7ef7944b1be18e9028dc521b9229952c537bbc5552',
    bytes: 281_946_471,
    unpackedBytes: 883_062_208,
  },
];

/**
 * `tensorflow[and-cuda]`: the packages of this extra in the wheel's metadata, at the newest versions for CUDA 12.9 and cuDNN 9.
 */
const cudaX64: WheelPin[] = [
  {
    name: 'tensorflow',
    version: '2.21.0',
    sha256: 'b3b95643c4e70eb925839938fb35cbe142f317ec84af6844ee61513713bb13c0',
    bytes: 572_611_111,
    unpackedBytes: 1_259_021_080,
  },
  {
    name: 'nvidia-cublas-cu12',
    version: '12.9.3.13',
    sha256: 'd7d51055f161b317c7105ddaae90e71eda059026074ffef93cf7cde2886bfe72',
    bytes: 581_217_458,
    unpackedBytes: 855_123_678,
  },
  {
    name: 'nvidia-cuda-cupti-cu12',
    version: '12.9.79',
    sha256: '096bcf334f13e1984ba36685ad4c1d6347db214de03dbb6eebb237b41d9d934f',
    bytes: 10_814_997,
    unpackedBytes: 43_425_030,
  },
  {
    name: 'nvidia-cuda-nvcc-cu12',
    version: '12.9.86',
    sha256: '5d6a0d32fdc7ea39917c20065614ae93add6f577d840233237ff08e9a38f58f0',
    bytes: 40_546_229,
    unpackedBytes: 98_069_727,
  },
  {
    name: 'nvidia-cuda-nvrtc-cu12',
    version: '12.9.86',
    sha256: '210cf05005a447e29214e9ce50851e83fc5f4358df8b453155d5e1918094dcb4',
    bytes: 89_568_129,
    unpackedBytes: 227_400_254,
  },
  {
    name: 'nvidia-cuda-runtime-cu12',
    version: '12.9.79',
    sha256: '25bba2dfb01d48a9b59ca474a1ac43c6ebf7011f1b0b8cc44f54eb6ac48a96c3',
    bytes: 3_493_179,
    unpackedBytes: 800_350,
  },
  {
    name: 'nvidia-cudnn-cu12',
    version: '9.28.0.42',
    sha256: '9ff58b7f36dacd0a93e89f8f2957b52466889217963701daa15e577317cfa375',
    bytes: 716_538_495,
    unpackedBytes: 1_162_411_646,
  },
  {
    name: 'nvidia-cufft-cu12',
    version: '11.4.1.4',
    sha256: 'c67884f2a7d276b4b80eb56a79322a95df592ae5e765cf1243693365ccab4e28',
    bytes: 200_877_592,
    unpackedBytes: 293_668_678,
  },
  {
    name: 'nvidia-curand-cu12',
    version: '10.3.10.19',
    sha256: '49b274db4780d421bd2ccd362e1415c13887c53c214f0d4b761752b8f9f6aa1e',
    bytes: 68_295_626,
    unpackedBytes: 167_024_694,
  },
  {
    name: 'nvidia-cusolver-cu12',
    version: '11.7.5.82',
    sha256: '15da72d1340d29b5b3cf3fd100e3cd53421dde36002eda6ed93811af63c40d88',
    bytes: 338_117_415,
    unpackedBytes: 495_034_326,
  },
  {
    name: 'nvidia-cusparse-cu12',
    version: '12.5.10.65',
    sha256: '73060ce019ac064a057267c585bf1fd5a353734151f87472ff02b2c5c9984e78',
    bytes: 366_465_088,
    unpackedBytes: 486_615_630,
  },
  {
    name: 'nvidia-nccl-cu12',
    version: '2.32.3',
    sha256: 'bb94b2348e4861d5e8aa00b36c3d12d9bdf9c6369b82cbb723de0b582280a21c',
    bytes: 351_526_311,
    unpackedBytes: 473_616_431,
  },
  {
    name: 'nvidia-nvjitlink-cu12',
    version: '12.9.86',
    sha256: 'e3f1171dbdc83c5932a45f0f4c99180a70de9bd2718c1ab77d14104f6d7147f9',
    bytes: 39_748_338,
    unpackedBytes: 95_994_606,
  },
];

/** glibc versions in the tags of the wheels. Older pips match tags literally, so the list names every one. */
export const glibcTags = ['2_27', '2_25', '2_18', '2_17'];

/**
 * The pinned build for a device and a processor (`process.arch`).
 * @throws UnimissError `engine` if there is none.
 */
export function releaseFor(device: Device, arch: string): EngineRelease {
  const machine = arch === 'x64' ? 'x86_64' : arch === 'arm64' ? 'aarch64' : undefined;
  if (!machine) {
    throw new UnimissError('engine', `TensorFlow is not available for ${arch} processors`, {
      remedy: 'Use a Linux machine with an x86-64 or arm64 processor, for example over SSH.',
    });
  }
  if (device === 'cuda' && machine === 'aarch64') {
    throw new UnimissError('engine', 'TensorFlow with CUDA is available for x86-64 only', {
      remedy: 'Use `--device cpu`, or use a TensorFlow that you built with CUDA (UNIMISS_TENSORFLOW=folder).',
    });
  }
  return {
    version: ENGINE_VERSION,
    device,
    wheels: device === 'cuda' ? cudaX64 : machine === 'x86_64' ? cpuX64 : cpuArm64,
    platforms: [...glibcTags.map((tag) => `manylinux_${tag}_${machine}`), `manylinux2014_${machine}`],
    required: tensorflowLibraries,
  };
}
