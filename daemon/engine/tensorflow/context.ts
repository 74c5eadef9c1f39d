import type { Device } from '../platform.ts';
import type { CApi, Pointer } from './cApi.ts';
import { encodeConfig } from './configProto.ts';
import { checkStatus } from './status.ts';

/** Opens TensorFlow: devices, threads, and the place where ops execute. */
export function newContext(
  c: CApi,
  status: Pointer,
  options: { device: string; interOpThreads: number; intraOpThreads: number },
): Pointer {
  const { device, interOpThreads, intraOpThreads } = options;
  const config = encodeConfig({ interOpThreads, intraOpThreads, gpus: device === 'cuda' ? 1 : 0 });
  const contextOptions = c.TFE_NewContextOptions() as Pointer;
  try {
    c.TFE_ContextOptionsSetConfig(contextOptions, config, config.length, status);
    checkStatus(c, status, () => 'engine options');
    const context = c.TFE_NewContext(contextOptions, status) as Pointer;
    checkStatus(c, status, () => 'opening TensorFlow');
    return context;
  } finally {
    c.TFE_DeleteContextOptions(contextOptions);
  }
}

/** The processor and the GPUs that TensorFlow sees. */
export function listDevices(c: CApi, status: Pointer, context: Pointer): Device[] {
  const list = c.TFE_ContextListDevices(context, status) as Pointer;
  checkStatus(c, status, () => 'listing devices');
  const devices = Array.from({ length: c.TF_DeviceListCount(list) as number }, (_, i) => ({
    name: c.TF_DeviceListName(list, i, status) as string,
    type: c.TF_DeviceListType(list, i, status) as string,
  }));
  c.TF_DeleteDeviceList(list);
  return devices;
}
