import { z } from 'zod';

/** The name of an environment variable, in settings. */
export const variableName = z.string().regex(/^[A-Za-z_]\w*$/, 'is not the name of a variable');

/** Of a module of the user's own. */
export const moduleVariables = z
  .array(variableName)
  .max(100)
  .optional()
  .describe('Names of the variables that it gets, from the environment or secretsFile.');
