// Message templates: `{user.name} removed the audit device {vault.request.path}`.

import { fieldReader } from '../../core/match/fields.ts';

/** Compiles `template`; an absent field reads `unknown`. Throws an Error for a brace that holds no field name. */
export function compileTemplate(template: string): (event: object) => string {
  const words = template.trim().split(/(\{[^{}]*\})/);
  const parts = words.map((word, i) => (i % 2 === 0 ? plain(word) : placeholder(word)));
  return (event) => {
    let text = '';
    for (const part of parts) text += typeof part === 'string' ? part : (part(event) ?? 'unknown');
    return text;
  };
}

function plain(word: string): string {
  if (/[{}]/.test(word)) throw new Error('a brace is not closed');
  return word.replace(/\s+/g, ' ');
}

function placeholder(word: string): (event: object) => string | undefined {
  const name = word.slice(1, -1);
  if (!/^@?[\w-]+(?:\.[\w-]+)*$/.test(name)) throw new Error(`${word} is no field such as {user.name}`);
  return fieldReader(name);
}
