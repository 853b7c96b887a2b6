// What the parts of the page share: elements, tables, calls of the API. Attackers write paths and names, so text is only ever textContent.

export const KEY = 'sealwatch-key';
export const byId = (id) => document.getElementById(id);

/** An element with a text and a class. */
export function element(name, text, className) {
  const node = document.createElement(name);
  node.textContent = text;
  if (className) node.className = className;
  return node;
}

export const time = (canonical) => (canonical ? `${canonical.slice(0, 10)} ${canonical.slice(11, 19)}` : 'none yet');

export const number = (value) => value.toLocaleString('en');

/** The first few of many, as a caller can have used twenty addresses. */
export const few = (values) =>
  values.length <= 4 ? values.join(', ') : `${values.slice(0, 3).join(', ')} and ${values.length - 3} more`;

/** Fills a table's body; a cell is a text or a pair of text and class. */
export function fill(id, rows, none) {
  const body = byId(id);
  const columns = body.parentElement.querySelectorAll('th').length;
  const lines = rows.map((cells) => {
    const line = document.createElement('tr');
    for (const cell of cells) line.append(Array.isArray(cell) ? element('td', ...cell) : element('td', cell));
    return line;
  });
  if (lines.length === 0) {
    const cell = element('td', none, 'none');
    cell.colSpan = columns;
    const line = document.createElement('tr');
    line.append(cell);
    lines.push(line);
  }
  body.replaceChildren(...lines);
}

class CallFailed extends Error {
  constructor(status, detail) {
    super(detail);
    this.status = status;
  }
}

/** Calls the API with the key of this tab; with a `body` it is a POST. Throws CallFailed with the problem's detail. */
export async function call(path, parameters = {}, body = undefined) {
  const query = new URLSearchParams(Object.entries(parameters).filter(([, value]) => value !== ''));
  const headers = { authorization: `Bearer ${sessionStorage.getItem(KEY)}` };
  const posted = { method: 'POST', body: JSON.stringify(body), headers: { ...headers, 'content-type': 'application/json' } };
  const response = await fetch(`${path}?${query}`, body === undefined ? { headers } : posted);
  if (response.ok) return response;
  const problem = await response.json().catch(() => ({ detail: response.statusText }));
  throw new CallFailed(response.status, problem.detail);
}

export const callJson = async (path, parameters) => (await call(path, parameters)).json();

export function say(text) {
  byId('message').textContent = text;
  byId('message').hidden = text === '';
}
