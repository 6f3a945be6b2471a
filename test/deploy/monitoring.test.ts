import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { projectRoot } from '../support/paths.js';
import { problemsOfQuery } from './promql.js';

const folder = join(projectRoot, 'src/deploy');
const textOf = (name: string) => readFileSync(join(folder, name), 'utf8');

const hasPromtool = spawnSync('promtool', ['--version']).status === 0;

interface Rule {
  alert: string;
  expr: string;
  annotations: Record<string, string>;
}

interface Panel {
  id: number;
  title: string;
  type: string;
  gridPos: { h: number; w: number; x: number; y: number };
  targets?: { expr: string; legendFormat: string }[];
}

it('a query of a series, a label or a grammar that there is not is found', () => {
  expect(problemsOfQuery('sum by (type) (agent_runtime_queue_depth)')).toEqual([]);
  expect(problemsOfQuery('sum(agent_runtime_queue_deep)')).toEqual(['/metrics has no agent_runtime_queue_deep']);
  expect(problemsOfQuery('sum by (kind) (agent_runtime_queue_depth)')).toEqual([
    'none of its series has the label kind',
  ]);
  expect(problemsOfQuery('sum(agent_runtime_queue_depth')[0]).toMatch(/^no PromQL near/);
});

it('every panel of the dashboard asks for what /metrics has, and none lies over another', () => {
  const { panels }: { panels: Panel[] } = JSON.parse(textOf('grafana-dashboard.json'));
  const asking = panels.filter(({ type }) => type !== 'row');
  expect(asking.length).toBeGreaterThan(10);
  for (const { title, targets = [] } of asking) {
    expect(targets.length, title).toBeGreaterThan(0);
    for (const { expr, legendFormat } of targets) {
      expect([title, problemsOfQuery(expr)]).toEqual([title, []]);
      for (const [, label] of legendFormat.matchAll(/\{\{(\w+)\}\}/g)) expect(expr).toContain(label);
    }
  }
  expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
  const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
    Array.from({ length: w * h }, (_, cell) => `${x + (cell % w)},${y + Math.floor(cell / w)}`),
  );
  expect(new Set(cells).size).toBe(cells.length);
});

it('every alert asks for what /metrics has, and says what to do', () => {
  const { groups } = parse(textOf('alerts.yaml'));
  const rules: Rule[] = groups.flatMap(({ rules }: { rules: Rule[] }) => rules);
  expect(rules.length).toBeGreaterThan(4);
  for (const { alert, expr, annotations } of rules) {
    expect([alert, problemsOfQuery(expr)]).toEqual([alert, []]);
    expect(annotations.description).toMatch(/\.$/);
    for (const [, label] of JSON.stringify(annotations).matchAll(/\$labels\.(\w+)/g)) expect(expr).toContain(label);
  }
});

it.skipIf(!hasPromtool)('the alerts are rules that Prometheus takes', () => {
  const { status, stdout, stderr } = spawnSync('promtool', ['check', 'rules', join(folder, 'alerts.yaml')], {
    encoding: 'utf8',
  });
  expect([status, stderr]).toEqual([0, '']);
  expect(stdout).toContain('SUCCESS');
});
