/** A script as the text of its element. Escapes what would end the element. */
export function scriptText(code: string): string {
  return code.replace(/<\/(script)/gi, '<\\/$1').replace(/<!--/g, '<\\!--');
}

/** A style sheet as the text of its element. */
export function styleText(rules: string): string {
  return rules.replace(/<\/(style)/gi, '<\\/$1');
}
