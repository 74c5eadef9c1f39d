// Finds the texts of the extension that users read: those that are ready for translation (`l10n.t`), and those that are not.
import { readdirSync, readFileSync } from 'node:fs';
import ts from 'typescript';

/** The extension's own code. Pages have no `vscode.l10n`; askpass runs outside of the editor. */
export const sources = () =>
  readdirSync('extension', { recursive: true })
    .map((file) => `extension/${file}`)
    .filter(
      (file) =>
        file.endsWith('.ts') && !/\.(test|long)\.ts$|\/(askpass|pagePolicy|webviewPage|reportPage)\.ts$/.test(file),
    )
    .sort();

/** Calls whose texts nobody reads, or which are no words: ids, patterns, logs. */
const notRead =
  /^(commands\.\w+|(.*\.)?output\.\w+|.*\.(warn|info|debug|appendMarkdown|startsWith|endsWith|includes|replace|replaceAll|split|test|exec|get|has|update|affectsConfiguration|getConfiguration|toLocale\w+|keep)|workspace\.(getConfiguration|findFiles|createFileSystemWatcher)|Uri\.\w+|z\..*|join|spawn)$/;
/** Properties and variables that hold ids. */
const ids =
  /^(icon|kind|viewType|command|id|pattern|scheme|type|code|place|field|language|context|contextValue|when|group|policy)$/;
/** Objects that need no words: icons, colours. */
const wordless = /^(ThemeIcon|ThemeColor|RegExp|URL|Worker|Error)$/;

/** Words that somebody might translate: several, or one that begins a title. */
function isProse(text) {
  if (/^[.#@\\/]|^unimiss[ .:-]|^vscode|^--/.test(text)) return false;
  if (!/[A-Za-z]{3}/.test(text.replace(/\{\d+\}/g, ' '))) return false;
  return /[A-Za-z…'")}] +\S|\S +[A-Za-z{]/.test(text) || /^[A-Z][a-z]+(…|\.)?$/.test(text);
}

/** A text with {0}, {1}, … in the places of its expressions; undefined: no text. */
export function textOf(node) {
  if (ts.isStringLiteral(node) || ts.isNoSubstitutionTemplateLiteral(node)) return node.text;
  if (!ts.isTemplateExpression(node)) return undefined;
  return node.templateSpans.reduce((text, { literal }, i) => `${text}{${i}}${literal.text}`, node.head.text);
}

export function isTranslated(node) {
  return ts.isCallExpression(node) && node.expression.getText() === 'l10n.t';
}

/** Whether a text is read by users, by its words and by where it stands. */
export function isRead(node) {
  const text = textOf(node);
  if (text === undefined || !isProse(text)) return false;
  const { parent } = node;
  if (ts.isImportDeclaration(parent) || ts.isExportDeclaration(parent) || ts.isTypeNode(parent)) return false;
  if (ts.isLiteralTypeNode(parent) || ts.isCaseClause(parent) || ts.isElementAccessExpression(parent)) return false;
  if (ts.isTemplateLiteralTypeNode(parent) || ts.isTaggedTemplateExpression(parent)) return false;
  if ((ts.isPropertyAssignment(parent) || ts.isMethodDeclaration(parent)) && parent.name === node) return false;
  if (ts.isPropertyAssignment(parent) && ids.test(parent.name.getText())) return false;
  if (ts.isVariableDeclaration(parent) && ids.test(parent.name.getText())) return false;
  if (ts.isNewExpression(parent) && wordless.test(parent.expression.getText())) return false;
  if (
    ts.isCallExpression(parent) &&
    notRead.test(parent.expression.getText().replace(/\?\.|\s/g, (one) => (one === '?.' ? '.' : '')))
  )
    return false;
  return !isIdOf(node);
}

/** `item.contextValue = …`, also by way of lists that are joined. */
function isIdOf(node) {
  for (let at = node; at.parent; at = at.parent)
    if (ts.isBinaryExpression(at.parent) && at.parent.right === at) {
      const { left, operatorToken } = at.parent;
      const assigned = [ts.SyntaxKind.EqualsToken, ts.SyntaxKind.QuestionQuestionEqualsToken].includes(
        operatorToken.kind,
      );
      return assigned && ts.isPropertyAccessExpression(left) && ids.test(left.name.getText());
    } else if (ts.isStatement(at.parent) || ts.isFunctionLike(at.parent)) return false;
  return false;
}

export function parse(file, text = readFileSync(file, 'utf8')) {
  return ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
}

/** @returns the texts that are translated, and the places of those that are not (`file:line: text`) */
export function findTexts(files = sources()) {
  const translated = new Set();
  const bare = [];
  for (const file of files) {
    const source = parse(file);
    const visit = (node) => {
      if (isTranslated(node)) {
        const [text] = node.arguments;
        const found = text && textOf(text);
        if (found === undefined || ts.isTemplateExpression(text)) bare.push(`${file}: ${node.getText()}`);
        else translated.add(found);
        for (const one of node.arguments.slice(1)) visit(one);
        return;
      }
      if (isRead(node))
        bare.push(`${file}:${source.getLineAndCharacterOfPosition(node.getStart()).line + 1}: ${textOf(node)}`);
      ts.forEachChild(node, visit);
    };
    visit(source);
  }
  return { translated: [...translated].sort(), bare };
}
