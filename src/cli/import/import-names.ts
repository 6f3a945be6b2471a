/** What `import` calls the programs whose boards it takes over. Here by themselves, as reading them loads much. */
export const importNames = [
  'task-master',
  'beads',
  'backlog-md',
  'shrimp',
  'vibe-kanban',
  'github',
  'background-agent',
  'agent-runtime',
] as const;
