import { parser } from '@prometheus-io/lezer-promql';
import { type Definition, definitions } from '../../src/core/metrics/definitions.js';

/** The series that /metrics shows, and the labels of each. */
const series = new Map(
  Object.entries<Definition>(definitions).flatMap(([name, { type, labels }]): [string, readonly string[]][] => {
    const shown = `agent_runtime_${name}`;
    if (type !== 'histogram') return [[shown, labels]];
    return [
      [`${shown}_bucket`, [...labels, 'le']],
      [`${shown}_sum`, labels],
      [`${shown}_count`, labels],
    ];
  }),
);

/** Prometheus renames our `instance` when it scrapes, as it adds one of its own. */
const asScraped = (label: string): string => (label === 'instance' ? 'exported_instance' : label);

/** What is wrong with a query: its grammar, a series that /metrics does not have, or a label that its series do not have. */
export function problemsOfQuery(query: string): string[] {
  const named: string[] = [];
  const labels: string[] = [];
  const problems: string[] = [];
  // Grafana's variables stand for durations.
  const text = query.replaceAll(/\$__\w+/g, '5m');
  parser.parse(text).iterate({
    enter({ type, from, to }) {
      const word = text.slice(from, to);
      if (type.isError) problems.push(`no PromQL near ${JSON.stringify(text.slice(Math.max(0, from - 20), to + 10))}`);
      else if (type.name === 'Identifier') named.push(word);
      else if (type.name === 'LabelName') labels.push(word);
    },
  });
  const known = new Set(named.flatMap((name) => (series.get(name) ?? []).map(asScraped)));
  if (named.length === 0) problems.push('it names no series');
  return [
    ...problems,
    ...named.filter((name) => !series.has(name)).map((name) => `/metrics has no ${name}`),
    ...labels.filter((label) => !known.has(label)).map((label) => `none of its series has the label ${label}`),
  ];
}
