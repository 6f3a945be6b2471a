import { execFileSync } from 'node:child_process';
import { mkdirSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { NewReservation } from '../../../src/core/coordination/reservations.js';
import { nameSession } from '../../../src/core/coordination/sessions.js';
import type { Processes } from '../../../src/core/ports.js';
import { tempDir } from '../../support/temp-dir.js';
import { openBoard, shell } from '../tasks/board.js';

/** A repository, and two sessions that work in it. */
async function workshop(processes?: Processes) {
  const root = realpathSync(tempDir());
  execFileSync('git', ['init', '-q', root]);
  mkdirSync(join(root, 'src', 'core'), { recursive: true });
  const board = await openBoard(processes ? { processes } : {});
  const enter = async (project = root, clientSessionId?: string) => {
    const session = nameSession({ project, clientSessionId });
    await board.sessions.begin(session, session);
    return { ...session, sessionId: session.id };
  };
  const [ada, bob] = [await enter(), await enter()];
  type Caller = Omit<typeof ada, 'id' | 'sessionId' | 'holder'> & {
    holder: string | null;
    sessionId: string | undefined;
  };
  const reserve = async (who: Caller, globs: string | string[], more: Partial<NewReservation> = {}) => {
    const wanted = { globs: [globs].flat(), isExclusive: true, ...more };
    return (await board.reservations.reserve(wanted, who)).reservations.map(({ glob }) => glob);
  };
  const held = async () => (await board.reservations.list(ada)).reservations.map(({ glob }) => glob);
  return { board, root, ada, bob, reserve, held, enter };
}

describe('reserved paths', () => {
  test('are refused to another session, with who has them, until when and why, and nothing of the call is kept', async () => {
    const { board, ada, bob, reserve, held } = await workshop();
    await board.slots.claim('hedy', ada);
    await reserve(ada, 'src/core/**', { reason: 'The new parser' });
    const until = new Date(board.clock.now() + 60_000).toISOString();
    await expect(reserve(bob, ['docs/a.md', 'src/**/*.ts'])).rejects.toMatchObject({
      code: 'conflict',
      message: `src/**/*.ts overlaps src/core/**, which hedy has exclusively until ${until}, for "The new parser".`,
      hint: expect.stringContaining('send_message to hedy'),
    });
    expect(await held()).toEqual(['src/core/**']);
    expect(await reserve(bob, 'docs/a.md')).toEqual(['docs/a.md']);
  });

  test('that are shared are there for several, but not for one alone', async () => {
    const { ada, bob, reserve, held } = await workshop();
    await reserve(ada, 'src/**', { isExclusive: false });
    await reserve(bob, 'src/core/**', { isExclusive: false });
    await expect(reserve(bob, 'src/core/**')).rejects.toMatchObject({ code: 'conflict' });
    expect(await held()).toEqual(['src/**', 'src/core/**']);
  });

  test('never go to two of many who ask at the same time', async () => {
    const { board, reserve, enter } = await workshop();
    const all = await Promise.all(Array.from({ length: 8 }, () => enter()));
    const got = await Promise.allSettled(all.map((who, index) => reserve(who, index % 2 ? 'src/**' : '**/a.ts')));
    expect(got.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect((await board.reservations.list(shell)).reservations).toHaveLength(1);
  });

  test('are released with their task: completed, failed, given back, lapsed', async () => {
    const { board, ada, bob, reserve, held } = await workshop();
    for (const end of ['completed', 'failed', 'pending'] as const) {
      const { id } = await board.add(end, {}, ada);
      await board.claim(id, ada);
      await reserve(ada, ['a', 'b'], { task: id });
      await reserve(ada, 'kept');
      await board.end(id, end, ada);
      expect(await held()).toEqual(['kept']);
      if (end === 'pending') await board.end(id, 'cancelled', ada);
    }
    const { id } = await board.add('lost', {}, bob);
    await board.claim(id, bob);
    await reserve(bob, 'c', { task: id, leaseSeconds: 3_600 });
    board.clock.pass(61_000);
    await board.tasks.lapse();
    expect(await held()).toEqual([]);
    await expect(reserve(ada, 'd', { task: 1 })).rejects.toMatchObject({ code: 'conflict' });
    await expect(reserve(ada, 'd', { task: 99 })).rejects.toMatchObject({ code: 'not_found' });
  });

  test('live as long as the heartbeats of their session, and then lapse', async () => {
    const { board, root, ada, reserve, held } = await workshop();
    await reserve(ada, 'a');
    for (let beats = 0; beats < 10; beats++) {
      board.clock.pass(30_000);
      await board.sessions.heartbeat(ada);
    }
    expect(await held()).toEqual(['a']);
    board.clock.pass(61_000);
    expect(await held()).toEqual([]);
    expect(await board.reservations.lapse()).toBe(1);
    expect(await board.history('path', root)).toEqual(['reserved', 'lapsed']);
  });

  test('are released when their session ends, but not while another process of the conversation lives', async () => {
    const { board, ada, reserve, held, root, enter } = await workshop();
    await reserve(ada, 'a');
    await board.sessions.end(ada);
    expect(await held()).toEqual([]);
    const [first, second] = [await enter(root, 'c0ffee'), await enter(root, 'c0ffee')];
    await reserve(first, 'b');
    await board.sessions.end(first);
    expect(await held()).toEqual(['b']);
    await board.sessions.end(second);
    expect(await held()).toEqual([]);
  });

  test('of a dead session are free at once', async () => {
    let isDead = false;
    const self = { hostId: 'h', bootId: 'b', pidNamespace: '', pid: 1, startTime: '' };
    const { ada, bob, reserve } = await workshop({ self: () => self, liveness: () => (isDead ? 'dead' : 'alive') });
    await reserve(ada, 'a');
    isDead = true;
    expect(await reserve(bob, 'a')).toEqual(['a']);
  });

  test('are relative to the work tree, wherever in it the project is, and through links', async () => {
    const { root, reserve, enter } = await workshop();
    symlinkSync(join(root, 'src'), join(root, 'link'));
    const inner = await enter(join(root, 'src', 'core'));
    const given = ['src/core/', './src//a.ts', join(root, 'src', 'b.ts'), 'link/{c,d}.ts', '.', 'src/../e.ts', '*/'];
    expect(await reserve(inner, given)).toEqual(
      ['src/core/**', 'src/a.ts', 'src/b.ts', 'src/c.ts', 'src/d.ts', '**', 'e.ts', '*/**'].sort(),
    );
  });

  test.each(['../x', '/etc/passwd', 'src/../../x', 'src/*/../../../x'])(
    'outside of the project are refused: %s',
    async (glob) => {
      const { ada, reserve, held } = await workshop();
      await expect(reserve(ada, ['a', glob])).rejects.toMatchObject({
        code: 'invalid',
        message: expect.stringContaining('leads outside of the project'),
      });
      expect(await held()).toEqual([]);
    },
  );

  test('that a link leads out of the project are refused', async () => {
    const { ada, root, reserve } = await workshop();
    symlinkSync('/etc', join(root, 'out'));
    await expect(reserve(ada, 'out/passwd')).rejects.toMatchObject({ code: 'invalid' });
  });

  test('of another work tree of the same repository are others', async () => {
    const { ada, root, reserve, enter } = await workshop();
    writeFileSync(join(root, 'a'), '');
    const git = (...args: string[]) =>
      execFileSync('git', ['-C', root, '-c', 'user.name=A', '-c', 'user.email=a@b.c', ...args]);
    git('add', 'a');
    git('commit', '-qm', 'A');
    const tree = join(realpathSync(tempDir()), 'tree');
    git('worktree', 'add', '-q', tree);
    const there = await enter(tree);
    await reserve(ada, '**');
    expect(await reserve(there, '**')).toEqual(['**']);
  });

  test('can be named by whole paths alone without a project', async () => {
    const { board, root, reserve, bob } = await workshop();
    const curl = { ...shell, sessionId: undefined };
    await expect(reserve(curl, 'src/a.ts')).rejects.toMatchObject({ code: 'invalid' });
    expect(await reserve(curl, join(root, 'src/*.ts'))).toEqual(['src/*.ts']);
    await expect(reserve(bob, 'src/a.ts')).rejects.toMatchObject({ message: expect.stringContaining('loose:caller') });
    expect((await board.reservations.list(shell)).reservations).toMatchObject([{ glob: `${root}/src/*.ts` }]);
  });

  test('are released by whoever has them, by glob or all', async () => {
    const { board, ada, bob, reserve, held } = await workshop();
    await reserve(ada, ['a', 'b', 'c']);
    expect(await board.reservations.release(['./b'], ada)).toBe(1);
    await expect(board.reservations.release(['a'], bob)).rejects.toMatchObject({ code: 'not_found' });
    expect(await held()).toEqual(['a', 'c']);
    expect(await board.reservations.release(undefined, ada)).toBe(2);
    expect(await board.reservations.release(undefined, ada)).toBe(0);
  });

  test('that braces make too many of are refused', async () => {
    const { ada, reserve } = await workshop();
    await expect(reserve(ada, '{1..99}/{1..99}')).rejects.toMatchObject({ code: 'invalid' });
  });
});
