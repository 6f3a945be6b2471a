import type { Metric, Sample } from './snapshot.js';

/** The content type of the exposition format. */
export const prometheusContentType = 'text/plain; version=0.0.4; charset=utf-8';

const prefix = 'agent_runtime_';

/** Metrics in the text format of Prometheus (prometheus.io/docs/instrumenting/exposition_formats, version 0.0.4). */
export function toPrometheus(metrics: readonly Metric[]): string {
  return metrics
    .filter(({ samples }) => samples.length > 0)
    .map(({ name, help, type, samples }) =>
      [
        `# HELP ${prefix}${name} ${escapeHelp(help)}`,
        `# TYPE ${prefix}${name} ${type}`,
        ...samples.map((sample) => lineOf(name, sample)),
        '',
      ].join('\n'),
    )
    .join('');
}

function lineOf(name: string, { suffix, labels, value }: Sample): string {
  const pairs = labels.map(([label, text]) => `${label}="${escapeLabel(text)}"`);
  return `${prefix}${name}${suffix}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`} ${value}`;
}

/** The format escapes backslash, quote and line feed, and nothing else. */
export function escapeLabel(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}

function escapeHelp(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
}
