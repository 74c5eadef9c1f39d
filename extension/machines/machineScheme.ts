/** The scheme of files on other machines: `unimiss://HOST/absolute/path`. */
export const machineScheme = 'unimiss';
