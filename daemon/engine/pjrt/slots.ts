/**
 * The functions of PJRT's C API that are used here, by their place in the plugin's table (`PJRT_Api` in
 * xla/pjrt/c/pjrt_c_api.h, version 0.81; later versions only append).
 */
export const slotOf = {
  Error_Destroy: 0,
  Error_Message: 1,
  Error_GetCode: 2,
  Plugin_Initialize: 3,
  Event_Destroy: 5,
  Event_Await: 8,
  Client_Create: 10,
  Client_PlatformName: 12,
  Client_PlatformVersion: 14,
  Client_AddressableDevices: 16,
  Client_Compile: 20,
  Client_BufferFromHostBuffer: 22,
  DeviceDescription_Kind: 26,
  Device_GetDescription: 29,
  Device_MemoryStats: 34,
  Executable_Destroy: 40,
  Executable_NumOutputs: 44,
  LoadedExecutable_Destroy: 50,
  LoadedExecutable_GetExecutable: 51,
  LoadedExecutable_Execute: 55,
  Buffer_Destroy: 58,
  Buffer_IsDeleted: 68,
  Buffer_ToHostBuffer: 70,
  Executable_GetCompiledMemoryStats: 96,
  Executable_OptimizedProgram: 48,
  Executable_Serialize: 49,
  Executable_DeserializeAndLoad: 56,
  TopologyDescription_Create: 82,
  Compile: 89,
} as const;

export type PjrtFunction = keyof typeof slotOf;

/** Functions that the engine can do without. */
export const optional: ReadonlySet<PjrtFunction> = new Set<PjrtFunction>([
  'Device_MemoryStats',
  'Executable_OptimizedProgram',
  'Executable_Serialize',
  'Executable_DeserializeAndLoad',
  'TopologyDescription_Create',
  'Compile',
]);

/** Bytes before the first function: struct_size, extension, and the version's 24. */
export const TABLE_START = 40;
