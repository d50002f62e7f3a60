# What customers are told in English. `.subject` is for e-mail.
# $code, $show, $branch, $starts_at, $seats, $total and, for a transfer, $pay_by and $account; $payment is transfer,
# on-site or nothing.

placed = [{ $branch }] { $payment ->
        [transfer] Your reservation is taken: { $show }, { $starts_at }, { $seats }. Number { $code }. Please transfer { $total } to { $account } by { $pay_by }.
        [on-site] You have a reservation: { $show }, { $starts_at }, { $seats }. Number { $code }. Please pay { $total } on site.
       *[nothing] You have a reservation: { $show }, { $starts_at }, { $seats }. Number { $code }.
    }
    .subject = Reservation { $code }: { $show }
payment-due = [{ $branch }] The payment of reservation { $code } is due soon. Please transfer { $total } to { $account } by { $pay_by }, or the reservation expires.
    .subject = Reservation { $code }: payment due
paid = [{ $branch }] Reservation { $code } is paid: { $show }, { $starts_at }, { $seats }.
    .subject = Reservation { $code }: paid
cancelled = [{ $branch }] Reservation { $code } was cancelled: { $show }, { $starts_at }.
    .subject = Reservation { $code }: cancelled
expired = [{ $branch }] Reservation { $code } expired because it was not paid in time: { $show }, { $starts_at }.
    .subject = Reservation { $code }: expired
