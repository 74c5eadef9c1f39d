import { dirname, resolve } from 'node:path';
import { classificationMetricNames } from '../../../../protocol/evaluation/classification.ts';
import type { RunComparison } from '../../../../protocol/evaluation/common.ts';
import type { Evaluation } from '../../../../protocol/evaluation/evaluation.ts';
import type { LabelledPlane } from '../../../../protocol/evaluation/plane.ts';
import { embeddedPlanesId, planeAttribute } from '../../../../protocol/evaluation/planeLabels.ts';
import { segmentationMetricNames } from '../../../../protocol/evaluation/segmentation.ts';
import { percentsUnbroken } from '../../../../protocol/percentsUnbroken.ts';
import { diskError, writeTextAtomically } from '../../../files/atomic.ts';
import { makeFolder } from '../../../files/folder.ts';
import { html, Markup, nothing } from '../markup.ts';
import { dataElement, readPageAssets, selfContainedPage } from '../selfContainedPage.ts';
import { classificationSections } from './classificationSections.ts';
import { formatNumber, numberCell, tableOf } from './numbers.ts';
import { segmentationSections } from './segmentationSections.ts';
import { inPlainWords, leakageSentence } from './words.ts';

export interface EvaluationReport {
  readonly evaluation: Evaluation;
  /** Pictures of worst and best cases (`planePicture`). */
  readonly planes?: readonly LabelledPlane[];
  /** Text of the run's configuration. */
  readonly configuration?: string;
  /** Folder of report.js and report.css, where it is not beside the bundle. */
  readonly assets?: string;
}

/**
 * Writes the report of an evaluation: one HTML file that names no other and needs no network. All but the pictures can be read
 * without JavaScript. The file appears whole or not at all; its folder is made where it is missing.
 * @throws UnimissError 'disk' where it cannot be written, 'internal' where the page's script was not built
 */
export async function writeEvaluationReport(file: string, report: EvaluationReport): Promise<void> {
  const assets = await readPageAssets('report', report.assets);
  const path = resolve(file);
  try {
    await makeFolder(dirname(path));
  } catch (error) {
    throw diskError(error, dirname(path));
  }
  await writeTextAtomically(path, evaluationPage(report, assets));
}

export function evaluationPage(report: EvaluationReport, { script, style }: { script: string; style: string }): string {
  const { evaluation, planes = [], configuration } = report;
  const title = `Evaluation of ${evaluation.name} (${evaluation.split})`;
  const body = html`<a class="outside" href="#main">Skip to the results</a>
<header><h1>${title}</h1>
<p class="clinical">Research only. Not for clinical use.</p>
<p class="note"><time datetime="${evaluation.time}">${evaluation.time.slice(0, 16).replace('T', ' ')} UTC</time></p></header>
<main id="main">
<p class="words">${percentsUnbroken(inPlainWords(evaluation))}</p>
${notes(evaluation)}
${evaluation.problem === 'segmentation' ? segmentationSections(evaluation) : classificationSections(evaluation)}
${comparisonSection(evaluation.comparison, evaluation.name)}
${pictures(planes, evaluation)}
<h2 id="leakage">Leakage and exclusions</h2>
<p>${leakageSentence(evaluation.leakage)}</p>
${leaked(evaluation)}${exclusions(evaluation)}
<h2 id="definitions">Definitions</h2>
${definitions(evaluation)}
<h2 id="versions">Configuration and versions</h2>
${versions(evaluation)}
${configuration === undefined ? nothing : html`<details class="opensForPrint"><summary>Configuration</summary><pre>${configuration}</pre></details>`}
</main>
<footer><p class="clinical">Not for clinical use: these numbers are no evidence that the network is safe for patients.</p></footer>
<noscript><p>Pictures and sorting need JavaScript.</p></noscript>
`;
  return selfContainedPage({ title, script, style, body: `${body.text}${dataElement(embeddedPlanesId, planes)}` });
}

function notes({ notes }: Evaluation): Markup {
  return notes.length === 0 ? nothing : html`<ul>${notes.map((note) => html`<li>${note}</li>`)}</ul>`;
}

const metricNames: Readonly<Record<string, string>> = { ...segmentationMetricNames, ...classificationMetricNames };

function comparisonSection(comparison: RunComparison | undefined, name: string): Markup {
  if (!comparison) return nothing;
  const columns = ['Number', 'Class', comparison.with, name, 'Difference', 'p', 'Pairs', 'What it says'].map(
    (name, i) => ({ name, numeric: i >= 2 && i <= 6 }),
  );
  const rows = comparison.tests.map(
    (one) =>
      html`<tr><th scope="row">${metricNames[one.metric] ?? one.metric}</th><td>${one.class ?? 'all'}</td>${[one.first, one.second, one.effect].map((v) => numberCell(v))}<td class="number" data-value="${one.p ?? ''}">${one.p === null ? '–' : formatNumber(one.p)}</td><td class="number" data-value="${one.pairs}">${one.pairs}</td><td class="sentence">${one.sentence}</td></tr>
`,
  );
  return html`<h2 id="comparison">Compared with ${comparison.with}</h2>
<p class="note">${comparison.twin ? 'One of the two is the from-scratch twin of the other: the same settings, but random first weights. ' : ''}Of ${comparison.with}, the checkpoint of ${comparison.checkpoint} was evaluated. Paired permutation tests, one value a patient. With many classes, some p below 0.05 are expected by chance: p is not corrected for their number.${comparison.tests.some((one) => one.class !== null) ? ' Of all classes, a patient’s value is the mean over the classes of each case; the table of classes averages over cases first, so its means may differ.' : ''}</p>
${tableOf('Means of both runs and their difference.', columns, rows)}`;
}

function pictures(planes: readonly LabelledPlane[], evaluation: Evaluation): Markup {
  if (planes.length === 0) return nothing;
  const swatch = (color: string) =>
    html`<svg viewBox="0 0 14 14" aria-hidden="true"><rect width="14" height="14" fill="${color}"/></svg>`;
  const outline = html`<svg viewBox="0 0 14 14" aria-hidden="true"><rect width="14" height="14" fill="#555555"/><rect x="3" y="3" width="8" height="8" fill="none" stroke="#ffffff" stroke-width="2"/></svg>`;
  const dice = new Map(
    evaluation.problem === 'segmentation' ? evaluation.cases.map((one) => [one.case, one.dice]) : [],
  );
  const scored = (id: string) => (dice.has(id) ? `Mean Dice ${formatNumber(dice.get(id))}. ` : '');
  return html`<h2 id="pictures">Worst and best cases</h2>
<ul class="legend"><li>${outline}outline of the reference</li><li>${swatch('#2ea096')}prediction, as in the reference</li><li>${swatch('#ff8c00')}predicted, but not in the reference</li><li>${swatch('#e0318c')}in the reference, but not predicted</li><li>${swatch('#fadc3c')}predicted as another class</li></ul>
<div class="planes">${planes.map(
    (plane, i) =>
      html`<figure><h3 data-case="${plane.title}">${plane.title}</h3><canvas ${new Markup(`${planeAttribute}="${i}"`)} width="${plane.width}" height="${plane.height}" role="img" aria-label="${plane.title}. ${plane.description}"></canvas><figcaption>${scored(plane.title)}${plane.description}</figcaption></figure>
`,
  )}</div>`;
}

function leaked({ leakage }: Evaluation): Markup {
  return leakage.state === 'found' ? html`<ul>${leakage.cases.map((id) => html`<li>${id}</li>`)}</ul>` : nothing;
}

function exclusions({ exclusions }: Evaluation): Markup {
  if (exclusions.length === 0) return html`<p>No case was excluded.</p>`;
  const rows = exclusions.map(
    (one) => html`<tr><th scope="row">${one.case}</th><td>${one.reason}</td></tr>
`,
  );
  return tableOf(
    'Cases that were not evaluated.',
    ['Case', 'Reason'].map((name) => ({ name, numeric: false })),
    rows,
    false,
  );
}

function definitions(evaluation: Evaluation): Markup {
  const own =
    evaluation.problem === 'segmentation'
      ? html`<p>Definitions “${evaluation.convention.name}”, version ${evaluation.convention.version}: as ${evaluation.convention.matches}. Tolerance of the surface Dice: ${evaluation.toleranceMm} mm.</p>`
      : nothing;
  return html`${own}<ul>${Object.values(evaluation.definitions).map((text) => html`<li>${text}</li>`)}</ul>`;
}

function versions({ versions, seed, patients }: Evaluation): Markup {
  const facts: [string, string | number][] = [
    ...Object.entries(versions),
    ['seed of the resampling', seed],
    ['patients', patients],
  ];
  return html`<ul>${facts.map(([name, value]) => html`<li>${name}: ${value}</li>`)}</ul>`;
}
