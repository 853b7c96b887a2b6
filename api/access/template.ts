// Paths with `{{identity...}}` in them, filled in for one identity as Vault does it (sdk/helper/identitytpl).

/** Texts at even places, expressions at odd ones. */
export type Template = readonly string[];

/** What of an identity is known. A member that is absent is not known; `undefined` for the entity: there is none. */
export interface Identity {
  entity:
    | {
        id?: string;
        name?: string;
        metadata?: Record<string, string>;
        aliases?: { name: string; mount_accessor?: string }[];
      }
    | undefined;
  /** All groups that it is in, directly or not; absent when nobody can tell. */
  groups?: { id: string; namespace: string; name?: string; metadata?: Record<string, string> }[];
}

/** A value, or that Vault finds none (then the rule does not count), or that what is known does not tell. */
type Filled = { text: string } | 'none' | 'unknown';

/** The parts of a path, nothing when it has no braces. */
export function templateOf(path: string): Template | 'unbalanced' | undefined {
  const [first = '', ...rest] = path.split('{{');
  if (first.includes('}}')) return 'unbalanced';
  if (rest.length === 0) return undefined;
  const parts = [first];
  for (const piece of rest) {
    const halves = piece.split('}}');
    if (halves.length !== 2) return 'unbalanced';
    parts.push((halves[0] as string).trim(), halves[1] as string);
  }
  return parts;
}

/** The path of a rule in a policy of `namespace` for this identity. */
export function fill(template: Template, identity: Identity, namespace: string): Filled {
  let text = '';
  let isKnown = true;
  for (const [i, part] of template.entries()) {
    const filled = i % 2 === 0 ? { text: part } : resolve(part, identity, namespace);
    if (filled === 'none') return 'none';
    if (filled === 'unknown') isKnown = false;
    else text += filled.text;
  }
  return isKnown ? { text } : 'unknown';
}

const ENTITY = 'identity.entity.';
const GROUPS = 'identity.groups.';

function resolve(expression: string, { entity, groups }: Identity, namespace: string): Filled {
  if (expression.startsWith(ENTITY))
    return entity === undefined ? 'none' : ofEntity(expression.slice(ENTITY.length), entity);
  if (expression.startsWith(GROUPS)) {
    if (entity === undefined) return 'none';
    return groups === undefined ? 'unknown' : ofGroups(expression.slice(GROUPS.length), groups, namespace);
  }
  return expression.startsWith('time.') ? 'unknown' : 'none';
}

function ofEntity(name: string, entity: NonNullable<Identity['entity']>): Filled {
  if (name === 'id') return texts(entity.id);
  if (name === 'name') return texts(entity.name);
  if (name.startsWith('metadata.')) return member(entity.metadata, name.slice('metadata.'.length));
  if (!name.startsWith('aliases.')) return 'none';
  const [accessor, field] = halves(name.slice('aliases.'.length));
  if (field === undefined) return 'none';
  if (entity.aliases === undefined) return 'unknown';
  const alias = entity.aliases.find((one) => one.mount_accessor === accessor);
  if (alias === undefined)
    return entity.aliases.some((one) => one.mount_accessor === undefined) ? 'unknown' : 'none';
  if (field === 'name') return texts(alias.name);
  // Facts have an alias' name alone.
  return field === 'id' || /^(custom_)?metadata\./.test(field) ? 'unknown' : 'none';
}

function ofGroups(path: string, groups: NonNullable<Identity['groups']>, namespace: string): Filled {
  const [by, rest] = halves(path);
  const [key, field] = halves(rest ?? '');
  if (field === undefined || (by !== 'ids' && by !== 'names')) return 'none';
  const group = groups.find((one) =>
    by === 'ids' ? one.id === key : one.name === key && one.namespace === namespace,
  );
  if (group === undefined)
    return by === 'names' && groups.some((one) => one.name === undefined) ? 'unknown' : 'none';
  if (field === 'id') return { text: group.id };
  if (field === 'name') return texts(group.name);
  return field.startsWith('metadata.') ? member(group.metadata, field.slice('metadata.'.length)) : 'none';
}

const texts = (value: string | undefined): Filled =>
  value === undefined ? 'unknown' : value === '' ? 'none' : { text: value };

function member(values: Record<string, string> | undefined, name: string): Filled {
  if (values === undefined) return 'unknown';
  const value = Object.hasOwn(values, name) ? values[name] : undefined;
  return value === undefined ? 'none' : { text: value };
}

/** Before and behind the first dot. */
function halves(text: string): [string, string | undefined] {
  const at = text.indexOf('.');
  return at === -1 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}
