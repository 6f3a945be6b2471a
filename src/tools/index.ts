import { RuntimeError } from '../base/errors.js';
import { backgroundTools } from './background.js';
import { breakerTools } from './breakers.js';
import { coordinationTools } from './coordination.js';
import type { AnyTool } from './define-tool.js';
import { goalTools } from './goals.js';
import { jobTools } from './jobs.js';
import { relayTools } from './relay.js';
import { systemTools } from './system.js';
import { taskTools } from './tasks.js';
import { templateTools } from './templates.js';

/** The tools by toolset, in the order in which clients list them. */
export const toolsets = {
  goals: [...goalTools, ...taskTools, ...templateTools],
  coordination: coordinationTools,
  breakers: breakerTools,
