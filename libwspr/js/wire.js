// BSD-3-Clause; see LICENSE.
/** The numbers of VOM 0x81. Source: vom.md 2 to 6. */
import { typeOf } from "./types.js";

/** Values may be nested as deep as this. */
export const MAX_DEPTH = 500;
export const VERSION = 0x81, NIL = 0xe0, END = 0xe1, INCOMPLETE = 0xe2;
export const FIRST_ID = 41;
export const FLOAT32_MAX = 3.4028234663852886e38;
export const BASE = ["", "bool", "byte", "string", "uint16", "uint32", "uint64",
    "int16", "int32", "int64", "float32", "float64", "", "", "typeobject",
    "any", "int8"];
export const builtIn = new Map();
BASE.forEach((kind, id) => kind === "" || builtIn.set(id, typeOf(kind)));
builtIn.set(39, typeOf("[]byte")).set(40, typeOf("[]string"));
export const builtInIds = new Map([...builtIn].map(([id, t]) =>
    [String(t), id]));
export const WIRE = ["Named", "Enum", "Array", "List", "Set", "Map", "Struct",
    "Union", "Optional"];
export const bits = { byte: 8, uint16: 16, uint32: 32, uint64: 64, int8: 8,
    int16: 16, int32: 32, int64: 64 };

/** Has a value message of that type a length? */
export const hasLength = (t) => !t.isBytes && ["any", "optional", "array",
    "list", "set", "map", "struct", "union"].includes(t.kind);
