/** Panels that come back with the window. */
export const panelTypes = { metrics: 'unimiss.metrics', report: 'unimiss.report' } as const;

/** The editor for volumes, which a click opens, and the same one for other files, which is offered. */
export const viewerTypes = { volumes: 'unimiss.viewer', others: 'unimiss.viewerOther' } as const;
