import protobuf from 'protobufjs';
import { bytesOf, type PjrtApi, type Pointer, slotsOf } from './api.ts';
import { type ExecutableMemory, memoryOf } from './client.ts';
import { compileOptions, type XlaFlags } from './compileOptions.ts';
import { namedValues } from './namedValues.ts';

/** What a module becomes on a GPU that is not there. */
export interface Foreseen {
  readonly program: OptimizedProgram;
  readonly memory: ExecutableMemory;
}

/** XLA's optimised program. */
export interface OptimizedProgram {
  /** Targets of its calls of libraries, such as cuDNN's convolutions. */
  readonly calls: readonly string[];
  /** Operations that each are a kernel of their own, or none. */
  readonly entry: readonly string[];
  /** The operations of each fusion, which is one kernel. */
  readonly fusions: readonly (readonly string[])[];
}

/** The part of XLA's xla/service/hlo.proto that is read here. */
const { root: hlo } = protobuf.parse(`syntax = "proto3";
  message HloInstructionProto { string name = 1; string opcode = 2; string custom_call_target = 28; }
  message HloComputationProto { string name = 1; repeated HloInstructionProto instructions = 2; }
  message HloModuleProto { string entry_computation_name = 2; repeated HloComputationProto computations = 3; }
  message HloModuleProtoWithConfig { HloModuleProto hlo_module = 1; }`);

interface HloComputation {
  readonly name: string;
  readonly instructions: readonly { readonly opcode: string; readonly customCallTarget: string }[];
}

/**
 * Compiles for a device that is not there, with a plugin for GPUs that is loaded but has none.
 * @param target text of XLA's GpuTargetConfigProto, which describes the device
 * @param flags options of XLA, as the engine has them for such a device
 */
export function foresee(api: PjrtApi, target: string, module: string, flags: XlaFlags = {}): Foreseen {
  const options = namedValues({ target_config: target, topology: '1x1x1' });
  const name = bytesOf('device');
  const topology = api.call('TopologyDescription_Create', 7, {
    2: name,
    3: name.length,
    4: options.values,
    5: options.count,
  })(6);
  const code = bytesOf(module);
  const format = bytesOf('mlir');
  const program = slotsOf([48, 0, code, code.length, format, format.length]);
  const build = bytesOf(compileOptions(flags));
  const executable = api.call('Compile', 8, { 2: topology, 3: program, 4: build, 5: build.length })(7);
  const foreseen = { program: optimized(api, executable), memory: memoryOf(api, executable) };
  api.call('Executable_Destroy', 3, { 2: executable });
  return foreseen;
}

/** The first call tells the length, the second fills memory of ours. */
function optimized(api: PjrtApi, executable: Pointer): OptimizedProgram {
  const asked = slotsOf([48], 6);
  api.call('Executable_OptimizedProgram', 4, { 2: executable, 3: asked });
  const bytes = bytesOf(new Uint8Array(Number(asked[3] ?? 0n)));
  asked[2] = slotsOf([bytes])[0] ?? 0n;
  api.call('Executable_OptimizedProgram', 4, { 2: executable, 3: asked });
  const type = hlo.lookupType('HloModuleProtoWithConfig');
  const { hloModule } = type.toObject(type.decode(bytes), { defaults: true });
  const computations: readonly HloComputation[] = hloModule.computations;
  const opcodes = ({ instructions }: HloComputation) => instructions.map(({ opcode }) => opcode);
  const isEntry = ({ name }: HloComputation) => name === hloModule.entryComputationName;
  // What a reduction does with two elements is a computation as well: a region.
  const isFusion = (one: HloComputation) => !isEntry(one) && !one.name.startsWith('region');
  return {
    calls: computations.flatMap(({ instructions }) =>
      instructions.flatMap(({ customCallTarget }) => customCallTarget || []),
    ),
    entry: computations.filter(isEntry).flatMap(opcodes),
    fusions: computations.filter(isFusion).map(opcodes),
  };
}
