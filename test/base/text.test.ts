import { expect, it } from 'vitest';
import { cut, nearest, sharingWord } from '../../src/base/text.js';

const known = ['create_task', 'create_tasks', 'create_goal', 'get_task', 'claim_next_task', 'list_tasks'];

it('finds what a misspelt word was meant to be, the nearest first', () => {
  expect(nearest('creat_task', known)[0]).toBe('create_task');
  expect(nearest('create-task', known)[0]).toBe('create_task');
  expect(nearest('GET_TASK', known)[0]).toBe('get_task');
  expect(nearest('claim_nxt_tsk', known)).toEqual(['claim_next_task']);
  expect(nearest('create_task', known).length).toBeLessThanOrEqual(3);
});

it('finds nothing for a word that is like none', () => {
  expect(nearest('frobnicate', known)).toEqual([]);
  expect(nearest('', known)).toEqual([]);
});

it('finds the names that share a word with an unknown one', () => {
  expect(sharingWord('task_create', known)).toEqual([
    'create_task',
    'create_tasks',
    'create_goal',
    'get_task',
    'claim_next_task',
  ]);
  expect(sharingWord('do_it', known)).toEqual([]);
});

it('cuts a text to its length with a sign that it was cut', () => {
  expect(cut('abcdef', 6)).toBe('abcdef');
  expect(cut('abcdefg', 6)).toBe('abc...');
});
