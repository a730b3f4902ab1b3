// BSD-3-Clause; see LICENSE.
/**
 * VOM 0x81, the encoding of values. In JavaScript
 *
 * | VDL | is |
 * |---|---|
 * | bool, string | boolean, string |
 * | byte, int8 … int32, uint16, uint32, float32, float64 | number |
 * | int64, uint64 | bigint (a whole number is accepted, too) |
 * | enum | string, the label |
 * | list, array | Array; of bytes: Uint8Array |
 * | set, map | Set, Map (an object is accepted for a map with string keys) |
 * | struct | object with the field names of VDL; a field left out is zero |
 * | union | object with one field |
 * | optional | null or the value |
 * | any | null or an {@link Any}; see {@link anyOf} for what else is accepted |
 * | typeobject | {@link Type} |
 * | error | null or a {@link VError}; any Error is accepted |
 * | time.Time, time.Duration | as the structs they are, with seconds in a
 *   bigint; a Date and a number of milliseconds are accepted. See dateOf() and
 *   millisecondsOf() |
 *
 * Strings that are no UTF-8 lose what is not. Source: vom.md 2 to 9, 15.
 */
export * from "./decode.js";
export * from "./encode.js";
export * from "./values.js";
export { ERROR, Type, typeOf } from "./types.js";
