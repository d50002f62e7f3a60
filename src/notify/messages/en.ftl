# What customers are told in English. `.subject` is for e-mail.
# $code, $show, $branch, $starts_at, $seats, $total, $refund, $until and, for a transfer or a payment through the provider,
# $pay_by and $account; $payment is transfer, provider, on-site or nothing. Of an offered place only $code, $show, $branch,
# $starts_at, $seats and $until are known.

placed = [{ $branch }] { $payment ->
        [transfer] Your reservation is taken: { $show }, { $starts_at }, { $seats }. Number { $code }. Please transfer { $total } to { $account } by { $pay_by }.
        [provider] Your reservation is taken: { $show }, { $starts_at }, { $seats }. Number { $code }. Please pay { $total } at { $account } by { $pay_by }.
        [on-site] You have a reservation: { $show }, { $starts_at }, { $seats }. Number { $code }. Please pay { $total } on site.
       *[nothing] You have a reservation: { $show }, { $starts_at }, { $seats }. Number { $code }.
    }
    .subject = Reservation { $code }: { $show }
payment-due = [{ $branch }] { $payment ->
        [provider] The payment of reservation { $code } is due soon. Please pay { $total } at { $account } by { $pay_by }, or the reservation expires.
       *[transfer] The payment of reservation { $code } is due soon. Please transfer { $total } to { $account } by { $pay_by }, or the reservation expires.
    }
    .subject = Reservation { $code }: payment due
paid = [{ $branch }] Reservation { $code } is paid: { $show }, { $starts_at }, { $seats }.
    .subject = Reservation { $code }: paid
cancelled = [{ $branch }] Reservation { $code } was cancelled: { $show }, { $starts_at }.
    .subject = Reservation { $code }: cancelled
expired = [{ $branch }] Reservation { $code } expired because it was not paid in time: { $show }, { $starts_at }.
    .subject = Reservation { $code }: expired
rescheduled = [{ $branch }] Reservation { $code } was moved: { $show }, { $starts_at }, { $seats }.
    .subject = Reservation { $code }: moved
reschedule-offered = [{ $branch }] The time slot of reservation { $code } cannot take place. Please move it to another one, or cancel it for nothing, by { $until }.
    .subject = Reservation { $code }: please choose another time slot
reinstated = [{ $branch }] The payment came late, and reservation { $code } is confirmed again: { $show }, { $starts_at }, { $seats }.
    .subject = Reservation { $code }: confirmed again
slot-offered = [{ $branch }] The payment of reservation { $code } came after it had expired. Please take another time slot of the same kind by { $until }, or ask for your money back.
    .subject = Reservation { $code }: another time slot
refund-due = [{ $branch }] { $refund } of reservation { $code } go back to you.
    .subject = Reservation { $code }: refund
refunded = [{ $branch }] The money of reservation { $code } went back to you.
    .subject = Reservation { $code }: refunded
place-offered = [{ $branch }] A place you waited for is held for you: { $show }, { $starts_at }, { $seats }. Please book it by { $until }; after that it is for the next in line. Number { $code }.
    .subject = Waitlist { $code }: a place for you
