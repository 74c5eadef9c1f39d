export { createEmbed, type Embed, type EmbedOptions } from './embed.ts';
export { createPretrainState, type PretrainState } from './state.ts';
export { createPretrainStep } from './step.ts';
export type * from './types.ts';
