import { expect, it } from 'vitest';
import { describeTool } from '../../src/mcp/call-tool.js';
import { chooseTools } from '../../src/tools/index.js';

// A change of the surface is a change for every user: it shows here, and is accepted with `npm test -- -u`.
it('the surface is the one on record', async () => {
  const surface = chooseTools({ toolsets: 'all', isReadOnly: false }).map(describeTool);
  await expect(`${JSON.stringify(surface, null, 2)}\n`).toMatchFileSnapshot('./tools.snap.json');
});
