import { backgroundAgent } from './background-agent.js';
import { backlogMd } from './backlog-md.js';
import { beads } from './beads.js';
import { github } from './github.js';
import { ownExport } from './own-export.js';
import { shrimp } from './shrimp.js';
import type { Source } from './source.js';
import { taskMaster } from './task-master.js';
import { vibeKanban } from './vibe-kanban.js';

/** The programs whose boards `import` takes over. */
export const sources: readonly Source[] = [
  taskMaster,
  beads,
  backlogMd,
  shrimp,
  vibeKanban,
  github,
  backgroundAgent,
  ownExport,
];
