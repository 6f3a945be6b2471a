import { describe, expect, it } from 'vitest';
import { programAddress, publicAddress, readAddress, splitAddress } from '../../../src/store/postgres/address.js';

const twoHosts = 'postgres://ann:s%40cret@a:5432,[::1]:5433/board';

describe('the address of a database', () => {
  it('of several hosts is one for each of them, of which the primary is wanted', () => {
    expect(readAddress(`${twoHosts}?sslmode=require&prepare=off&target_session_attrs=read-write`)).toEqual({
      connectionStrings: [
        'postgres://ann:s%40cret@a:5432/board?sslmode=require',
        'postgres://ann:s%40cret@[::1]:5433/board?sslmode=require',
      ],
      needsPrimary: true,
      prepares: false,
    });
  });

  it('of one host is taken as it is, also a standby, unless the primary is asked for', () => {
    expect(readAddress('postgres://a/board')).toEqual({
      connectionStrings: ['postgres://a/board'],
      needsPrimary: false,
      prepares: true,
    });
    expect(readAddress('postgres://a/board?target_session_attrs=primary').needsPrimary).toBe(true);
  });

  it('is shown without its password, and given to programs without it, with all of its hosts', () => {
    expect(publicAddress(`${twoHosts}?sslkey=k`)).toBe('postgres://ann@a:5432,[::1]:5433/board');
    expect(programAddress(`${twoHosts}?prepare=off`)).toEqual({
      address: 'postgres://ann@a:5432,[::1]:5433/board?target_session_attrs=read-write',
      password: 's@cret',
    });
    expect(programAddress('postgres://a/board')).toEqual({ address: 'postgres://a/board', password: '' });
    expect(splitAddress(twoHosts)).toEqual({
      server: 'postgres://ann:s%40cret@a:5432,[::1]:5433/postgres',
      database: 'board',
    });
  });

  it.each(['mysql://a/b', 'postgres://u:secret@a,b:port/d', ''])('that is none is refused and not shown: %s', (url) => {
    for (const read of [publicAddress, readAddress, programAddress, splitAddress]) {
      expect(() => read(url)).toThrow(/^AGENT_RUNTIME_DB_URL is not the address of a PostgreSQL database\.$/);
    }
  });

  it('of servers that take no writes is refused by the word that says so', () => {
    const url = 'postgres://a,b/board?target_session_attrs=prefer-standby';
    expect(() => readAddress(url)).toThrow(/target_session_attrs=prefer-standby; the board needs the server/);
  });
});
