import uPlot from 'uplot';
import { axisLabels, formatTick, tickDistances, type XAxis } from './axes.ts';
import type { Scales } from './draw.ts';
import { formatNumber, formatTicks } from './format.ts';
import type { Theme } from './theme.ts';
import { logTicks } from './ticks.ts';

/** What a plot needs from its chart. */
export interface PlotOwner {
  range(): [from: number, to: number];
  valueRange(): [low: number, high: number];
  drawBelow(plot: uPlot): void;
  drawAbove(plot: uPlot): void;
  cursorMoved(plot: uPlot): void;
  selected(plot: uPlot): void;
  reset(): void;
}

/** uPlot's options for the frame of a chart: axes, cursor and selection. The owner draws the curves. */
export function plotOptions(
  size: { width: number; height: number },
  axis: XAxis,
  log: boolean,
  theme: Theme,
  owner: PlotOwner,
): uPlot.Options {
  const shared = {
    stroke: theme.text,
    font: theme.font,
    grid: { stroke: theme.grid, width: 1 },
    ticks: { show: false },
    border: { show: false },
  };
  return {
    ...size,
    padding: [8, 12, 0, 0],
    legend: { show: false },
    series: [{}, { show: true, points: { show: false } }],
    scales: {
      x: { time: false, range: () => owner.range() },
      y: { distr: log ? 3 : 1, range: () => owner.valueRange() },
    },
    axes: [
      {
        ...shared,
        size: 24,
        gap: 4,
        space: 48,
        label: axisLabels[axis],
        labelSize: 15,
        labelGap: 0,
        labelFont: theme.font,
        incrs: tickDistances(axis),
        values: (_, splits, __, ___, distance) => splits.map((v) => formatTick(axis, v, distance)),
      },
      {
        ...shared,
        size: 50,
        gap: 4,
        space: (_, __, ___, ____, height) => Math.max(28, height / 8),
        ...(log ? { splits: (_, __, min, max) => logTicks(min, max), filter: (_, splits) => splits } : {}),
        values: (_, splits) => (log ? splits.map((v) => formatNumber(v, 3)) : formatTicks(splits)),
      },
    ],
    cursor: {
      y: false,
      points: { show: false },
      drag: { x: true, y: false, setScale: false, dist: 4 },
      bind: {
        dblclick: () => () => {
          owner.reset();
          return null;
        },
      },
    },
    hooks: {
      drawClear: [(plot) => owner.drawBelow(plot)],
      draw: [(plot) => owner.drawAbove(plot)],
      setCursor: [(plot) => owner.cursorMoved(plot)],
      setSelect: [(plot) => owner.selected(plot)],
    },
  };
}

/** A plot's scales as plain arithmetic, for the many values of a curve. */
export function scalesOf(plot: uPlot): Scales {
  const { left, top, width, height } = plot.bbox;
  const { min: x0, max: x1 } = plot.scales.x as { min: number; max: number };
  const y = plot.scales.y!;
  const log = y.distr === 3;
  const map = log ? Math.log10 : (v: number) => v;
  const y0 = map(y.min!);
  const kx = width / (x1 - x0);
  const ky = height / (map(y.max!) - y0);
  return {
    x: (v) => left + (v - x0) * kx,
    y: (v) => (log && v <= 0 ? Number.NaN : top + height - (map(v) - y0) * ky),
    left,
    top,
    width,
    height,
    ratio: uPlot.pxRatio,
  };
}
