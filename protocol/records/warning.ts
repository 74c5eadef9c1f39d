import * as z from 'zod/mini';

/** Something that looks wrong, and what to do about it. Both are sentences; settings have their names in the configuration. */
export const warningSchema = z.object({ what: z.string(), advice: z.optional(z.string()) });
export type Warning = z.infer<typeof warningSchema>;

/** A warning as one text, for a terminal or a log. */
export function warningText({ what, advice }: Warning): string {
  return advice === undefined ? what : `${what} ${advice}`;
}
