"""Claims about sealed secrets."""

from dataclasses import replace

from central.seal import Seal
from central.store.api import Store
from central.store.testing.samples import NOW, later

TOKEN = Seal("ngi-cz", "token", "https://rt.example.cz", "Ym94", NOW)


class SealClaims:
    """What `Seals` promises."""

    def test_a_sealed_secret_comes_back_as_it_was_kept_and_is_replaced_by_its_place(self, store: Store) -> None:
        newer = replace(TOKEN, box="bmV3", sealed_at=later(60))
        store.write(lambda tx: tx.seals.put(TOKEN))
        store.write(lambda tx: tx.seals.put(newer))
        assert list(store.read(lambda tx: tx.seals.list())) == [newer]

    def test_secrets_stand_by_system_name_and_origin(self, store: Store) -> None:
        others = [
            replace(TOKEN, origin="https://new.example.cz"),
            replace(TOKEN, name="signing"),
            replace(TOKEN, system="ngi-de"),
        ]
        for seal in (*others, TOKEN):
            store.write(lambda tx, seal=seal: tx.seals.put(seal))  # type: ignore[misc]  # bound now
        every = store.read(lambda tx: tx.seals.list())
        assert [(each.system, each.name, each.origin) for each in every] == [
            ("ngi-cz", "signing", TOKEN.origin),
            ("ngi-cz", "token", "https://new.example.cz"),
            ("ngi-cz", "token", TOKEN.origin),
            ("ngi-de", "token", TOKEN.origin),
        ]
        assert list(store.read(lambda tx: tx.seals.list("ngi-de"))) == [others[2]]

    def test_a_secret_is_forgotten_for_every_origin_and_no_other_is(self, store: Store) -> None:
        others = [replace(TOKEN, name="signing"), replace(TOKEN, system="ngi-de")]
        for seal in (TOKEN, replace(TOKEN, origin="https://new.example.cz"), *others):
            store.write(lambda tx, seal=seal: tx.seals.put(seal))  # type: ignore[misc]  # bound now
        assert store.write(lambda tx: tx.seals.drop("ngi-cz", "token")) == 2
        assert store.write(lambda tx: tx.seals.drop("ngi-cz", "token")) == 0
        assert list(store.read(lambda tx: tx.seals.list())) == others
