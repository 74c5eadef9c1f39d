/** Environment variables that decide what a trainer finds and uses. A daemon passes its own to the processes that it starts. */
const names = ['UNIMISS_TENSORFLOW', 'UNIMISS_PJRT', 'UNIMISS_CACHE', 'CUDA_VISIBLE_DEVICES'] as const;

/** The variables among them that are set. */
export function trainingEnvironment(env: NodeJS.ProcessEnv = process.env): Record<string, string> {
  return Object.fromEntries(names.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])));
}

/** Names of variables that differ, or are set on one side only. */
export function differingVariables(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): string[] {
  return names.filter((name) => a[name] !== b[name]);
}
