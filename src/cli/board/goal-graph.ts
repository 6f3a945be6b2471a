import { type GoalGraph, readGoalGraph } from '../../core/overview/goals.js';
import { showCards } from '../../http/page/tasks.js';
import type { CommandContext } from '../define-command.js';
import { oneLine } from '../table.js';
import { readSettingOf, withRuntime } from '../with-runtime.js';

export interface GraphOptions {
  goal: number;
  format: 'mermaid' | 'dot' | undefined;
}

const mostTasks = 1_000;

/** Prints a goal's tasks and their dependencies as a drawing for Mermaid or Graphviz; in a pipe without a format, as JSON. */
export async function runGoalGraph({ goal, format }: GraphOptions, { flags, output }: CommandContext): Promise<void> {
  await withRuntime(readSettingOf(flags), async (runtime) => {
    const graph = await readGoalGraph(runtime, goal, { isOpenOnly: false, limit: mostTasks });
    if (flags.isJson || (format === undefined && !output.isTerminal)) {
      const { nodes, edges, criticalPath, total } = graph;
      output.printJson({ nodes: showCards(nodes), edges, critical_path: criticalPath, total });
      return;
    }
    output.quote(format === 'dot' ? toDot(graph) : toMermaid(graph));
    if (graph.total > graph.nodes.length) output.say(`Only ${graph.nodes.length} of ${graph.total} tasks are drawn.`);
  });
}

type Drawn = Pick<GoalGraph, 'nodes' | 'edges'>;

/** The graph in Graphviz's DOT language. */
export function toDot({ nodes, edges }: Drawn): string {
  const label = (text: string) => `"${text.replaceAll(/["\\]/g, '\\$&')}"`;
  return [
    'digraph goal {',
    '  rankdir=LR; node [shape=box];',
    ...nodes.map(({ id, title, state }) => `  t${id} [label=${label(`${id}: ${oneLine(title)} (${state})`)}];`),
    ...edges.map(([from, to]) => `  t${from} -> t${to};`),
    '}',
  ].join('\n');
}

/** The graph as a flowchart of Mermaid, whose labels take characters as entities: `#quot;` or `#35;`. */
export function toMermaid({ nodes, edges }: Drawn): string {
  const label = (text: string) => text.replaceAll(/["#<>&`\\]/g, (letter) => `#${letter.charCodeAt(0)};`);
  return [
    'flowchart LR',
    ...nodes.map(({ id, title, state }) => `  t${id}["${id}: ${label(oneLine(title))} (${state})"]`),
    ...edges.map(([from, to]) => `  t${from} --> t${to}`),
  ].join('\n');
}
