/** Text for markup, also in attributes within double quotes. */
export function escapeText(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;').replace(/"/g, '&quot;');
}

/** Markup whose text is escaped. */
export class Markup {
  constructor(readonly text: string) {}
}

type Part = string | number | Markup | readonly Markup[];

/** A template of markup: strings and numbers in it are escaped, `Markup` is taken as it is. */
export function html(strings: TemplateStringsArray, ...parts: Part[]): Markup {
  const text = (part: Part) =>
    part instanceof Markup
      ? part.text
      : typeof part === 'object'
        ? part.map((one) => one.text).join('')
        : escapeText(String(part));
  return new Markup(strings.reduce((all, own, i) => all + text(parts[i - 1]!) + own));
}

export const nothing = new Markup('');
