import { describeMeasure, scoreNames, taskOf } from '../../../protocol/compare/experiment.ts';
import { embeddedPlanesId } from '../../../protocol/evaluation/planeLabels.ts';
import { tableOf } from '../../evaluate/report/evaluation/numbers.ts';
import { html, type Markup, nothing } from '../../evaluate/report/markup.ts';
import { dataElement, readPageAssets, selfContainedPage } from '../../evaluate/report/selfContainedPage.ts';
import { claimOf, inWords, isYes, pOf, signed, summaryOf, three } from './answers.ts';
import { type Comparison, type Section, scoreOf } from './comparison.ts';
import type { Compute } from './compute.ts';
import { figureOf } from './figure.ts';
import { computeHead, computeNote, computeRows, measuredOn } from './markdown.ts';

/** The report of an experiment: one HTML file that needs no network, and can be read without JavaScript. */
export async function comparisonPage(comparison: Comparison): Promise<string> {
  const { experiment, hash, fixed, answers, sections } = comparison;
  const title = `Comparison “${experiment.name}”`;
  const [primary] = answers;
  const body = html`<a class="outside" href="#main">Skip to the results</a>
<header><h1>${title}</h1>
<p class="clinical">Research only. Not for clinical use.</p></header>
<main id="main">
<p class="words">${primary ? inWords(primary) : ''} ${summaryOf(answers, experiment)}</p>
<h2 id="questions">Questions</h2>
${questions(comparison)}
${sections.map((section) => sectionOf(section, experiment))}
${comparison.compute ? computeSection(comparison.compute) : nothing}
<h2 id="how">How it was measured</h2>
${how(comparison)}
<ul><li>Fixed on <time datetime="${fixed}">${fixed.slice(0, 16).replace('T', ' ')} UTC</time>, before the first run.</li><li>SHA-256 of the experiment: ${hash}</li><li>${measuredOn(comparison)}</li></ul>
<details><summary>Experiment</summary><pre>${JSON.stringify(experiment, null, 2)}</pre></details>
</main>
`;
  const assets = await readPageAssets('report');
  return selfContainedPage({ title, ...assets, body: `${body.text}${dataElement(embeddedPlanesId, [])}` });
}

function questions({ answers }: Comparison): Markup {
  const columns = ['Question', 'Measured by', 'Difference', 'p', 'p after Holm', 'Answer'];
  const rows = answers.map((answer) => {
    const { question, difference, low, high, p, corrected } = answer;
    const { modality, labels } = question;
    return html`<tr><th scope="row">${claimOf(question)}</th><td>${describeMeasure(taskOf(question), modality, labels)}</td><td class="number" data-value="${difference}">${signed(difference)} <span class="interval">${signed(low)} to ${signed(high)}</span></td><td class="number" data-value="${p}">${pOf(p)}</td><td class="number" data-value="${corrected}">${pOf(corrected)}</td><td>${isYes(answer) ? 'yes' : 'not shown'}</td></tr>
`;
  });
  return tableOf(
    'All questions were fixed beforehand. The first is the primary one.',
    columns.map((name) => ({ name, numeric: /^(Difference|p)/.test(name) })),
    rows,
  );
}

function sectionOf(section: Section, { labels, seeds }: Comparison['experiment']): Markup {
  const { task, modality, arms, figure } = section;
  const numbers = (names: readonly string[]) => names.map((name) => ({ name, numeric: true }));
  const rows = arms.map(
    (arm) =>
      html`<tr><th scope="row">${arm}</th>${labels.map((number) => {
        const one = scoreOf(section, arm, number);
        if (!one) return html`<td class="number">–</td>`;
        return html`<td class="number" data-value="${one.mean}">${three(one.mean)} <span class="interval">${three(one.low)} to ${three(one.high)}</span></td>`;
      })}</tr>
`,
  );
  const perSeed = arms.flatMap((arm) =>
    labels.map((number) => {
      const one = scoreOf(section, arm, number);
      const cells = seeds.map((_, s) => {
        const value = one?.accuracies[s];
        return html`<td class="number" data-value="${value ?? ''}">${value === undefined ? '–' : three(value)}</td>`;
      });
      return html`<tr><th scope="row">${arm}</th><td class="number" data-value="${number}">${number}</td>${cells}</tr>
`;
    }),
  );
  return html`<h2 id="${task}-${modality}">${scoreNames[task]}, ${modality}</h2>
<div class="beside"><figure>${figureOf(figure)}</figure>
${tableOf('Mean, and 95 % interval over seeds and patients.', [{ name: 'Arm', numeric: false }, ...numbers(labels.map((number) => `${number} a class`))], rows)}</div>
<details><summary>Each seed</summary>
${tableOf('Score of each seed of training.', [{ name: 'Arm', numeric: false }, ...numbers(['Labels a class', ...seeds.map((seed) => `Seed ${seed}`)])], perSeed)}</details>
`;
}

function computeSection(compute: Compute): Markup {
  const rows = computeRows(compute).map(
    ([
      arm = '',
      ...cells
    ]) => html`<tr><th scope="row">${arm}</th>${cells.map((cell) => html`<td class="number">${cell}</td>`)}</tr>
`,
  );
  const columns = computeHead.map((name, i) => ({ name, numeric: i > 0 }));
  return html`<h2 id="compute">Compute</h2>
${tableOf(computeNote, columns, rows, false)}`;
}

function how({ experiment, sections }: Comparison): Markup {
  const { seeds, draws, resamples, fineTuning } = experiment;
  const tasks = new Set(sections.map(({ task }) => task));
  const items = [
    `Each arm was trained with ${seeds.length === 1 ? 'one seed' : `${seeds.length} seeds`}. Differences are paired by seed and image. Intervals and p come from ${resamples} resamples of seeds and patients; p is one-sided.`,
    ...(tasks.has('probe')
      ? [
          `Linear probe: a ridge classifier on frozen features, trained with the labels of ${draws} draws and tested on all images of other patients. histogram and moments: the same on intensities; random: on the features of random weights.`,
        ]
      : []),
    ...(fineTuning && (tasks.has('classification') || tasks.has('segmentation'))
      ? [
          `Fine-tuning: the same recipe for all arms, tested with its ${fineTuning.checkpoint} checkpoint. The labels of a seed are the same for all arms, and more labels contain the fewer. scratch: random first weights.`,
        ]
      : []),
    ...(tasks.has('segmentation')
      ? ['Segmentation: mean Dice of the structures of an image, then of the images.']
      : []),
  ];
  return html`<ul>${items.map((item) => html`<li>${item}</li>`)}</ul>`;
}
