import type { Goal } from '../tasks/goal.js';
import type { PlannedTask, Strategy } from './plan.js';

interface TemplateTask {
  title: string;
  description: string;
  priority: number;
}

/** Fixed plans for when no model is to be asked; used only by name, as they know nothing of the goal. */
const templates: Record<Strategy, readonly TemplateTask[]> = {
  sequential: [
    { title: 'Research requirements for: ', description: 'Gather the information that is needed.', priority: 10 },
    { title: 'Plan approach for: ', description: 'Write down the steps of the implementation.', priority: 9 },
    { title: 'Implement: ', description: 'Do what was planned.', priority: 8 },
    { title: 'Test: ', description: 'Show that it works as required.', priority: 7 },
    { title: 'Document: ', description: 'Describe it for those who will use it.', priority: 6 },
  ],
  parallel: [
    { title: 'Backend work for: ', description: 'Everything on the server side.', priority: 10 },
    { title: 'Frontend work for: ', description: 'Everything that users see.', priority: 10 },
    { title: 'Testing for: ', description: 'Tests of both sides.', priority: 10 },
  ],
  hierarchical: [
    { title: 'Phase 1: Foundation for ', description: 'What everything else stands on.', priority: 10 },
    { title: 'Phase 2: Core implementation for ', description: 'The main functions.', priority: 9 },
    { title: 'Phase 3: Integration for ', description: 'The parts put together.', priority: 8 },
    { title: 'Phase 4: Optimization for ', description: 'Faster, simpler, more robust.', priority: 7 },
  ],
};

/** The fixed plan of a strategy, each title ending in the goal's name. */
export function templatePlan(strategy: Strategy, goal: Pick<Goal, 'name' | 'description'>): PlannedTask[] {
  return templates[strategy].map(({ title, description, priority }) => ({
    title: `${title}${goal.name}`.slice(0, 300),
    description: `${description}\n\n${goal.description}`.trim(),
    priority,
  }));
}
