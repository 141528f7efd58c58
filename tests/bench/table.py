# SPDX-License-Identifier: GPL-2.0-only
"""The result, for people."""


def cell(value, form="{}"):
    return "-" if value is None else form.format(value)


def show(document):
    form = "{:42} {:>6} {:>6} {:>6} {:>6} {:>6} {:>6}  {}"
    print(form.format("ns a packet", "min", "median", "net", "/floor", "limit", "goal", ""))
    for row in document["scenarios"]:
        missed = [bound for bound in ("limit", "goal")
                  if row["name"] in document[f"{bound}_missed"]]
        print(form.format(
            row["name"], cell(row["ns_min"], "{:.1f}"), cell(row["ns_median"], "{:.1f}"),
            cell(row["net_ns"], "{:.1f}"),
            cell(row.get("instructions", row["over_floor"])),
            cell(row["limit"]), cell(row["goal"]),
            f"{missed[0]} missed" if missed else "").rstrip())
    if "driver" in document:
        print("floor {floor_min} ns: a bare XDP_TX of {bare_min}, and the driver's "
              "{driver_adds}".format(**document["driver"]))
    print("net: median less the floor's; /floor: median by the floor's, of the same "
          f"{document['rounds']} rounds")
    for bound in "limit", "goal":
        print(f"{bound} missed: {', '.join(document[f'{bound}_missed']) or 'none'}")
    if document["failed"]:
        print(f"not measured: {', '.join(document['failed'])}")
