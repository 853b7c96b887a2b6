// Where a secret of sealwatch's own lies: a file, or a field of a secret in Vault's KV v2, `vault:<mount>/data/<path>#<field>`.

export interface SecretRef {
  /** `<mount>/data/<path>`, as the API has it. */
  path: string;
  field: string;
}

const PREFIX = 'vault:';
/** Segments as Vault names them; none of them is a step up. */
const SHAPE = /^vault:((?:[\w.-]+\/)+?data(?:\/[\w.-]+)+)#([\w.-]+)$/;

/** The reference that `text` is; undefined when it names a file. */
export function secretRef(text: string): SecretRef | undefined {
  const [, path, field] = SHAPE.exec(text) ?? [];
  return path === undefined || field === undefined || /(^|\/)\.\.?(\/|$)/.test(path)
    ? undefined
    : { path, field };
}

/** Whether `text` wants to be a reference but is none. */
export const isOddRef = (text: string): boolean => text.startsWith(PREFIX) && secretRef(text) === undefined;

/** Advice for such a one. */
export const REF_SHAPE = 'a reference to Vault looks like vault:<mount>/data/<path>#<field>';
