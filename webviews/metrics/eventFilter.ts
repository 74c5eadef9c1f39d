/** What the list may show. Checkpoints and previews come with every epoch and would hide the rest. */
export const eventFilters = ['important', 'checkpoint', 'preview'] as const;
export type EventFilter = (typeof eventFilters)[number];
