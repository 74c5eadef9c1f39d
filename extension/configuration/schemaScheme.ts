/** The scheme under which package.json's `jsonValidation` looks for the JSON Schema of configurations. */
export const schemaScheme = 'unimiss-schema';
