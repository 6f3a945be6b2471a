import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { complaintAboutNode } from '../../src/base/oldest-node.js';
import { projectRoot } from '../support/root.js';

it.each(['16.20.2', '18.20.8', '20.9.0', '20.18.3'])(
  'complains about Node %s, with the version that is needed',
  (found) => {
    expect(complaintAboutNode(found)).toBe(
      `agent-runtime-mcp needs Node 20.19 or newer; this is Node ${found}, ${process.execPath}.`,
    );
  },
);

it.each(['20.19.0', '20.20.2', '22.0.0', '24.21.0', process.versions.node])('takes Node %s', (found) => {
  expect(complaintAboutNode(found)).toBeUndefined();
});

it('asks for what package.json asks for', () => {
  const { engines } = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8'));
  expect(complaintAboutNode('1.0.0')).toContain(`needs Node ${engines.node.replace('>=', '')} or newer`);
});
