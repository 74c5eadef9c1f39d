/** The scheme of texts that are the configurations of runs with every choice made. */
export const resolvedScheme = 'unimiss-resolved';
