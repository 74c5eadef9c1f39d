import { l10n } from 'vscode';
/** Of the 3D view's page: it draws letters from a picture that its script holds. */
export const volumeFrame = { title: l10n.t('UniMiSS 3D View'), pictures: true } as const;
